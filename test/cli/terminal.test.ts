import t from 'tap'
import { createOperatedDeployment } from '../support/cli-deployment.js'
import { assertDead, logIn, me, verdict } from '../support/session-calls.js'

t.setTimeout(300_000)

t.test('what can not be undone is typed on a terminal', async (t) => {
  const { start, cli } = await createOperatedDeployment(t)
  const node = await start()
  const [ada, bob] = [await node.register(), await node.register()]
  const why = /Why\?.* $/
  const everyone = /Type everyone to go on: $/

  const wrong = await cli.type(
    ['revoke', 'everyone'],
    [
      [why, 'a drill\r'],
      [everyone, 'yes\r']
    ]
  )
  t.equal(wrong.code, 1)
  t.match(
    wrong.screen,
    /Everybody is logged out, on 127\.0\.0\.1:\d+\/test_\w+: 2 sessions of 2 accounts/
  )
  t.match(wrong.screen, /That was not everyone: nothing was done\./)
  const given = await cli.type(
    ['revoke', 'user', ada.email, '--reason', 'x'],
    [[/Type /, '\u0003']]
  )
  t.match(given, { code: 1, screen: /There was no answer: nothing was done\./ }, 'nor with Ctrl-C')
  for (const { accessToken } of [ada, bob]) t.equal(verdict(await me(node, accessToken)), 200)

  const typesAda = [new RegExp(`Type ${ada.email} to go on: $`), `${ada.email}\r`] as const
  await cli.run(['users', 'roles', ada.email, 'admin'])
  const ofAda = ['users', 'roles', ada.email, 'support']
  const demoted = await cli.type(ofAda, [[typesAda[0], 'yes\r']])
  t.match(demoted, { code: 1, screen: /is no administrator any more.*Only another admin/s })
  const disabled = await cli.type(
    ['users', 'disable', bob.email, '--reason', 'x'],
    [[/Type /, 'y\r']]
  )
  t.match(disabled, { code: 1, screen: /is locked out.*nothing was done/s })
  const shown = await Promise.all([ada, bob].map(({ id }) => cli.run(['users', 'show', id])))
  t.match(shown, [{ stdout: /roles +admin\n/ }, { stdout: /disabled +no\n/ }])

  const user = await cli.type(
    ['revoke', 'user', ada.id],
    [[why, 'a laptop was stolen\r'], typesAda]
  )
  t.equal(user.code, 0, user.screen)
  await assertDead(t, node, ada)
  t.equal(verdict(await me(node, bob.accessToken)), 200)

  const all = await cli.type(
    ['revoke', 'everyone'],
    [
      [why, 'secrets leaked\r'],
      [everyone, 'everyone\r']
    ]
  )
  t.match(all, { code: 0, screen: /Done: 1 sessions are revoked, and that is true on every node/ })
  await assertDead(t, node, bob)
})

t.test('a password is typed and not shown', async (t) => {
  const { start, cli } = await createOperatedDeployment(t)
  const node = await start()
  const person = { email: 'grace@example.com', password: 'purple-otter-42-lamp' }
  const created = await cli.type(
    ['users', 'create', person.email, '--name', 'Grace'],
    [[/Password: $/, `${person.password}\r`]]
  )
  t.equal(created.code, 0, created.screen)
  t.notMatch(created.screen, person.password)
  t.equal(verdict(await logIn(node, person)), 200)

  const colours = await cli.type(['doctor'], [])
  // eslint-disable-next-line no-control-regex
  t.match(colours.screen, /\u001b\[31merror/, 'people see colours')
  const plain = await cli.type(['doctor'], [], { env: { NO_COLOR: '1' } })
  // eslint-disable-next-line no-control-regex
  t.notMatch(plain.screen, /\u001b\[31m/)
})
