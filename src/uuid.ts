/** Ids are compared as text, so only the canonical form is one (RFC 9562 §4, in lower case). */
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
