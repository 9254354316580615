/** What a browser says about where a request comes from, as received. */
export interface OriginHeaders {
  readonly origin: string | string[] | undefined
  readonly secFetchSite: string | string[] | undefined
}

const fetchSites = new Set(['same-origin', 'same-site', 'cross-site', 'none'])

/**
 * Whether a request may use the cookies it brought (OWASP CSRF Prevention: verify the origin).
 *
 * - An Origin must be exactly one of those trusted. Opaque origins ("null"), lists made of repeated
 *   headers, and differences in case or port are foreign.
 * - Without an Origin, Sec-Fetch-Site must say that the page is our own or that there is none.
 * - With neither, no browser sent it, so no cookie was attached behind somebody's back.
 */
export function isTrustedOrigin(
  { origin, secFetchSite }: OriginHeaders,
  trusted: ReadonlySet<string>
): boolean {
  if (secFetchSite !== undefined && !isFetchSite(secFetchSite)) return false
  if (origin !== undefined) return typeof origin === 'string' && trusted.has(origin)
  return secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none'
}

const isFetchSite = (value: string | string[]): boolean =>
  typeof value === 'string' && fetchSites.has(value)
