import type { Answer, Client } from './client.js'

export const formType = 'application/x-www-form-urlencoded'

/** The header of HTTP Basic for `id:secret`. */
export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

/** Sends a form as it stands; `headers` may be others, or more. */
export function postForm(
  client: Client,
  path: string,
  form: string,
  headers: Record<string, string> = {}
): Promise<Answer> {
  return client.post(path, { body: form, headers: { 'content-type': formType, ...headers } })
}

export function introspect(client: Client, credentials: string, token: string): Promise<Answer> {
  const form = `token=${encodeURIComponent(token)}`
  return postForm(client, '/oauth/introspect', form, { authorization: basic(credentials) })
}

export function revoke(client: Client, credentials: string, token: string): Promise<Answer> {
  const form = `token=${encodeURIComponent(token)}`
  return postForm(client, '/oauth/revoke', form, { authorization: basic(credentials) })
}
