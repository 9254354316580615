import t from 'tap'
import type { CliJson } from '../support/cli.js'
import { createOperatedDeployment } from '../support/cli-deployment.js'
import { eventually } from '../support/eventually.js'
import {
  assertDead,
  assertLives,
  listSessions,
  logIn,
  me,
  verdict
} from '../support/session-calls.js'

t.setTimeout(300_000)

const password = 'purple-otter-42-lamp'

t.test('accounts, tokens and the audit from a terminal', async (t) => {
  const { start, cli, secrets, databaseUrl } = await createOperatedDeployment(t)
  const node = await start()
  async function json(args: readonly string[], input?: string): Promise<CliJson> {
    const end = await cli.run([...args, '--json'], input === undefined ? {} : { input })
    outputs.push(end.stdout, end.stderr)
    return { code: end.code, ...end.json }
  }
  /** Every output so far: in none of them may a secret stand. */
  const outputs: string[] = []
  const email = 'grace@example.com'

  await t.test('an account is made with a password that is no argument', async (t) => {
    const create = ['users', 'create', email, '--name', 'Grace', '--role', 'admin']
    t.match(await json(create), { code: 2, error: { message: /--password-stdin/ } })
    const piped = [...create, '--password-stdin']
    t.match(await json(piped, 'short'), { code: 1, error: { message: /too weak/ } })
    t.match(await json(piped, `${password}\n`), { code: 0, user: { email, roles: ['admin'] } })
    t.match(await json(piped, password), { code: 1, error: { message: /already/ } })
    t.equal(verdict(await logIn(node, { email, password })), 200)
  })

  await t.test('accounts are found and shown, page by page', async (t) => {
    const ada = await node.register()
    t.match(await json(['users', 'list', 'GRA']), { users: [{ email }], next: null })
    const first = await json(['users', 'list', '--limit', '1', '--enabled'])
    t.same(
      first.users?.map(({ id }) => id),
      [ada.id],
      'the newest first'
    )
    const second = await json(['users', 'list', '--limit', '1', '--after', ada.id])
    t.match(second, { users: [{ email }], next: null })
    t.match(await json(['users', 'list', '--role', 'admin']), { users: { length: 1 } })
    t.match(await json(['users', 'show', email]), { user: { email }, sessions: 1 })
    const nobody = await json(['users', 'show', 'nobody@example.com'])
    t.match(nobody, { code: 1, error: { message: /There is no account/ } })
  })

  await t.test('roles kill tokens and no session; disabling kills both', async (t) => {
    const ada = await node.register()
    const changed = await json(['users', 'roles', ada.email, 'support', 'billing'])
    t.match(changed, { code: 0, user: { roles: ['billing', 'support'] }, receipt: {} })
    t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
    const next = await assertLivesOn(ada.refreshToken)
    t.match(await json(['users', 'roles', ada.email, 'NO']), { code: 2 })

    const roles = (...args: string[]) => json(['users', 'roles', ...args])
    t.match(await roles(ada.email), { code: 2, error: { message: /--none/ } }, 'a slip of the hand')
    t.match(await roles(ada.email, 'support', '--none'), { code: 2 })
    t.match(await json(['users', 'show', ada.email]), { user: { roles: ['billing', 'support'] } })
    t.match(await roles(ada.email, '--none'), { code: 0, user: { roles: [] } })

    const unconfirmed = { code: 2, error: { message: /add --yes/ } }
    t.match(await roles(email, 'support'), unconfirmed, 'an admin would be none any more')
    const last = { code: 1, error: { message: /last admin/ } }
    t.match(await roles(email, '--none', '--yes'), last)
    t.match(await roles(ada.email, 'admin', '--reason', 'on call'), { code: 0 })
    const demoted = await roles(ada.email, 'support', '--yes', '--reason', 'off call')
    t.match(demoted, { code: 0, user: { roles: ['support'] } })
    const { events } = await json(['audit', 'search', '--action', 'account.roles_changed'])
    t.match(events, [{ reason: 'off call' }, { reason: 'on call' }, { reason: null }])

    const disable = ['users', 'disable', ada.email]
    t.match(await json(disable), { code: 2, error: { message: /why/i } })
    t.match(await json([...disable, '--reason', 'left']), unconfirmed)
    t.equal(verdict(await logIn(node, ada)), 200, 'nothing has happened so far')
    t.match(await json([...disable, '--reason', 'left', '--yes']), { code: 0 })
    await assertDead(t, node, next)
    t.equal(verdict(await logIn(node, ada)), 'ACCOUNT_DISABLED')
    t.match(await json(['users', 'enable', ada.email]), { code: 0, receipt: null })
    t.equal(verdict(await logIn(node, ada)), 200)

    async function assertLivesOn(refreshToken: string) {
      const { body } = await node.post('/api/auth/refresh', { body: { refreshToken } })
      const { accessToken = '', sessionId = '' } = body
      return await assertLives(t, node, {
        accessToken,
        sessionId,
        refreshToken: body.refreshToken ?? ''
      })
    }
  })

  await t.test('an account is deleted', async (t) => {
    const ada = await node.register()
    t.match(await json(['users', 'delete', ada.email, '--reason', 'x']), { code: 2 })
    const deleted = await json(['users', 'delete', ada.email, '--reason', 'x', '--yes'])
    t.match(deleted, { code: 0, deleted: ada.id, receipt: { nodes: { length: 1 } } })
    t.equal(verdict(await listSessions(node, ada.accessToken)), 'TOKEN_REVOKED')
  })

  await t.test('the audit is read and proved whole', async (t) => {
    const { events } = await json(['audit', 'search', '--action', 'account.deleted'])
    t.match(events, [{ actor: { kind: 'operator' }, ip: null, reason: 'x' }])
    t.match(await json(['audit', 'search', '--since', '1h', '--limit', '2']), {
      events: { length: 2 },
      nextCursor: String
    })
    t.match(await json(['audit', 'search', '--since', '2000-01-01', '--until', '2h']), {
      events: []
    })
    t.match(await json(['audit', 'tail', '--limit', '3']), { events: { length: 3 } })
    t.match(await json(['audit', 'verify']), { code: 0, findings: [] })
    t.match(await json(['audit', 'verify', '--head', 'ab'.repeat(32)]), {
      code: 1,
      findings: [{ fault: 'anchor missing' }]
    })
  })

  await t.test('a follower of the audit is told what happens, until Ctrl-C', async (t) => {
    const tail = await cli.start(['audit', 'tail', '--follow', '--json'])
    await eventually('it shows what there is', () => tail.stdout() !== '', { withinMs: 20_000 })
    const ada = await node.register()
    await eventually('it shows what came', () => tail.stdout().includes(ada.id))
    tail.signal('SIGINT')
    const { code, stdout } = await tail.ended
    t.equal(code, 0)
    t.ok(
      stdout
        .trim()
        .split('\n')
        .every((line) => typeof JSON.parse(line) === 'object')
    )
  })

  await t.test('whoever reads may have seen enough', async (t) => {
    // The reader is gone before anything is written, or with the first line.
    const pipes = [
      ['audit tail --json', 'true'],
      ['audit search --limit 200', 'true'],
      ['--help', 'true'],
      ['audit tail --follow --json', 'head -n 1']
    ] as const
    const ends = pipes.map(([args, reader]) => cli.pipe(args.split(' '), reader))
    const [follower] = ends.slice(-1)
    const isOver = Promise.all(ends).then(() => true)
    const more = () => Promise.race([isOver, node.register().then(() => false)])
    await eventually('each has ended', more, { withinMs: 30_000 })
    t.match(await follower, { stdout: /^\{"id".*\}\n\d+\n$/ })
    for (const end of await Promise.all(ends)) {
      t.match(end.stdout, /(^|\n)0\n$/, 'with exit code 0')
      t.equal(end.stderr, '')
    }
  })

  await t.test('no secret was in any output', async (t) => {
    const everything = outputs.join('\n')
    const databasePassword = new URL(databaseUrl).password
    for (const secret of [...secrets, password, databasePassword]) {
      t.notOk(everything.includes(secret))
    }
    t.notMatch(everything, /\$argon2|password_?hash/i)
  })

  await t.test('mint opens a session in development, and is audited', async (t) => {
    const minted = await cli.run(['mint', email, '--json'])
    t.match(minted.json, { tokenType: 'Bearer', expiresIn: 900, refreshToken: String })
    t.equal(verdict(await me(node, minted.json.accessToken ?? '')), 200)
    const { events } = await json(['audit', 'search', '--action', 'token.minted'])
    t.match(events, [{ actor: { kind: 'operator' }, subject: { kind: 'session' } }])
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.example.org',
      ARGON2_MEMORY_KIB: '19456'
    }
    const refused = await cli.run(['mint', email, '--json'], { env: production })
    t.match(refused, { code: 1, json: { error: { message: /mint is for development/ } } })
  })
})
