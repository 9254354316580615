const hstsMaxAgeSeconds = 31_536_000

/**
 * The headers that every answer starts with; a page that needs more than nothing widens its own
 * Content-Security-Policy, and a public document may set its own Cache-Control.
 */
export function securityHeaders(publicUrl: string): Readonly<Record<string, string>> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    // RFC 6797 §7.2: never over plain HTTP.
    ...(publicUrl.startsWith('https:') && {
      'strict-transport-security': `max-age=${hstsMaxAgeSeconds}`
    })
  }
}
