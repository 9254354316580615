/** The signature algorithms of access tokens (RFC 7518 §3, RFC 8037). Each key is bound to exactly one. */
export const jwtAlgorithms = ['HS256', 'EdDSA', 'ES256', 'RS256'] as const

export type JwtAlgorithm = (typeof jwtAlgorithms)[number]

/** Those whose verification key may be published. */
export type AsymmetricAlgorithm = Exclude<JwtAlgorithm, 'HS256'>

export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return jwtAlgorithms.some((algorithm) => algorithm === value)
}
