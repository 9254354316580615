import fc from 'fast-check'
import t from 'tap'
import { isTrustedOrigin } from '../../src/http/origin.js'

const ours = 'https://keycard.test'
const trusted = new Set([ours, 'https://app.test:8443'])

const ask = (origin?: string | string[], secFetchSite?: string | string[]): boolean =>
  isTrustedOrigin({ origin, secFetchSite }, trusted)

t.test('the origin and the site of the page decide', async (t) => {
  const cases: [string | string[] | undefined, string | string[] | undefined, boolean][] = [
    [undefined, undefined, true],
    [undefined, 'same-origin', true],
    [undefined, 'none', true],
    [undefined, 'same-site', false],
    [undefined, 'cross-site', false],
    [undefined, 'Same-Origin', false],
    [undefined, 'same-origin, cross-site', false],
    [undefined, ['same-origin', 'cross-site'], false],
    [undefined, '', false],
    [ours, undefined, true],
    [ours, 'same-origin', true],
    [ours, 'none', true],
    ['https://app.test:8443', 'cross-site', true],
    ['https://app.test:8443', 'same-site', true],
    ['https://app.test:8443', 'anything', false],
    ['https://app.test', undefined, false],
    ['http://keycard.test', 'same-origin', false],
    ['null', 'same-origin', false],
    ['', undefined, false],
    [`${ours}, ${ours}`, undefined, false],
    [[ours], undefined, false]
  ]
  for (const [origin, site, expected] of cases) {
    t.equal(ask(origin, site), expected, `${String(origin)} from ${String(site)}`)
  }
})

const anyHeader = fc.option(fc.oneof(fc.string(), fc.array(fc.string())), { nil: undefined })
const anySite = fc.oneof(
  anyHeader,
  fc.constantFrom('same-origin', 'same-site', 'cross-site', 'none')
)

t.test('an origin that is not on the list never passes, whatever it resembles', async () => {
  const lookalikes = fc.oneof(
    fc.string().map((name) => `https://${name}`),
    fc.string().map((suffix) => `${ours}${suffix || '.'}`),
    fc.string().map((prefix) => `${prefix || ' '}${ours}`),
    fc.constantFrom(ours.toUpperCase(), `${ours}/`, `${ours}:443`, 'https://sub.keycard.test')
  )
  fc.assert(
    fc.property(lookalikes, anySite, (origin, site) => {
      fc.pre(!trusted.has(origin))
      return !ask(origin, site)
    })
  )
})

t.test('trusting more origins refuses nothing that passed before', async () => {
  const list = fc.array(fc.string()).map((origins) => new Set(origins))
  fc.assert(
    fc.property(anyHeader, anySite, list, list, (origin, secFetchSite, some, more) => {
      const headers = { origin, secFetchSite }
      return (
        !isTrustedOrigin(headers, some) || isTrustedOrigin(headers, new Set([...some, ...more]))
      )
    })
  )
})

t.test('without headers every list lets pass, with a foreign page none does', async () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (origins) => {
      const list = new Set(origins)
      return (
        isTrustedOrigin({ origin: undefined, secFetchSite: undefined }, list) &&
        !isTrustedOrigin({ origin: undefined, secFetchSite: 'cross-site' }, list)
      )
    })
  )
})
