import t from 'tap'
import { readBasicCredentials } from '../../src/http/basic-credentials.js'

const encoded = (pair: string) => Buffer.from(pair, 'latin1').toString('base64')

t.test('both parts are form-urlencoded inside (RFC 6749 §2.3.1)', async (t) => {
  const pairs: [string, string, string][] = [
    ['a:b', 'a', 'b'],
    ['a:', 'a', ''],
    [':b', '', 'b'],
    ['a:b:c', 'a', 'b:c'],
    ['a%3Ab:c', 'a:b', 'c'],
    ['a%2Db:kc%5Fx%2B', 'a-b', 'kc_x+'],
    ['a+b:c', 'a b', 'c'],
    ['%C3%A9:x', 'é', 'x']
  ]
  for (const [pair, id, secret] of pairs) {
    t.same(readBasicCredentials(`Basic ${encoded(pair)}`), { id, secret }, pair)
  }
  t.same(readBasicCredentials(`bASIC  ${encoded('a:b')}`), { id: 'a', secret: 'b' })
})

t.test('anything else is none', async (t) => {
  const good = encoded('ab:c')
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ',
    good,
    `Bearer ${good}`,
    `Basic\t${good}`,
    `Basic ${good},`,
    `Basic ${good} ${good}`,
    `Basic ${good.replaceAll('=', '')}`,
    `Basic ${good}=`,
    'Basic a:b',
    'Basic YTpi*',
    'Basic YTpj\u00e9',
    `Basic ${encoded('no colon')}`,
    `Basic ${encoded('a:\u00ff')}`,
    `Basic ${encoded('a:%ff')}`,
    `Basic ${encoded('a:%0')}`,
    `Basic ${encoded('a:%00')}`,
    `Basic ${encoded('a\0:b')}`,
    'Basic ____'
  ]) {
    t.equal(readBasicCredentials(header), undefined, String(header))
  }
})
