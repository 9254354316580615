import { decodeFormText } from './form-text.js'

export interface BasicCredentials {
  readonly id: string
  readonly secret: string
}

const basic = /^basic +([a-z0-9+/]+={0,2})$/i
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The id and secret of a client in an Authorization header, by HTTP Basic (RFC 7617) with both parts
 * form-urlencoded in it (RFC 6749 §2.3.1). Undefined for anything else.
 */
export function readBasicCredentials(header: string | undefined): BasicCredentials | undefined {
  const encoded = basic.exec(header ?? '')?.[1]
  const pair = encoded === undefined ? undefined : decodeBase64(encoded)
  const colon = pair?.indexOf(':') ?? -1
  if (pair === undefined || colon < 0) return undefined
  const id = decodeFormText(pair.slice(0, colon))
  const secret = decodeFormText(pair.slice(colon + 1))
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Node skips what is not base64; here it is none then. */
function decodeBase64(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
