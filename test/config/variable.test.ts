import t from 'tap'
import { integer } from '../../src/config/readers.js'
import { optional, variable } from '../../src/config/variable.js'

t.test('a default that its own reader refuses is a mistake', async (t) => {
  const broken = variable('PORT', integer(1, 9), { default: '10', description: 'a port' })
  t.throws(() => broken.whenUnset(), {
    message: 'The default of PORT is wrong. Allowed: a whole number from 1 to 9'
  })
})

t.test('a default that is a value is documented as one', async (t) => {
  const port = variable('PORT', integer(1, 9), { default: '3', description: 'a port' })
  t.equal(port.default, '`3`')
  t.equal(port.whenUnset(), 3)
})

t.test('a default that is none is documented in words', async (t) => {
  const port = optional('PORT', integer(1, 9), { default: 'any', description: 'a port' })
  t.equal(port.default, 'any')
  t.equal(port.whenUnset(), undefined)
})
