import t from 'tap'
import {
  rateOf,
  readOptions,
  type ScenarioName,
  scenarioNames,
  UsageError
} from '../../bench/load/options.js'

const target = ['--target', 'http://127.0.0.1:3000', '--database-url', 'postgres://x']

t.test('what is wrong with the arguments is said in a sentence', async (t) => {
  t.equal(readOptions(['--help']), undefined)
  t.same(readOptions(['--scenario', 'everyone,verify'])?.scenarios, ['verify', 'everyone'])
  t.same(readOptions(['--scenario', 'all'])?.scenarios, scenarioNames)
  t.notOk(readOptions([...target, '--scenario', 'all'])?.scenarios.includes('outage'))
  const wrong = [
    ['--scenario', 'dance'],
    ['--rate', '0'],
    ['--seconds', 'ten'],
    ['--mode', 'memory'],
    ['--seconds', '3001'],
    ['--warm-up', '0'],
    ['--target', 'http://127.0.0.1:3000'],
    [...target, '--scenario', 'verify,outage'],
    ['--what']
  ]
  for (const args of wrong) t.throws(() => readOptions(args), UsageError, args.join(' '))
})

t.test('a scenario has a rate that suits it, unless another one is asked for', async (t) => {
  const rate = (name: ScenarioName, ...args: string[]) => {
    const options = readOptions(args)
    return options && rateOf(options, name)
  }
  t.equal(rate('verify'), 2_000)
  t.equal(rate('login'), 20)
  t.equal(rate('login', '--rate', '7'), 7)
  t.equal(rate('login', '--saturate'), undefined)
})
