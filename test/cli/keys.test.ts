import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { generateKeyRing } from '../../src/tokens/key-generation.js'
import { createOperatedDeployment } from '../support/cli-deployment.js'
import { eventually } from '../support/eventually.js'
import { me, refresh, tokensOf, verdict } from '../support/session-calls.js'
import { temporaryFolder } from '../support/temporary-folder.js'

t.setTimeout(300_000)

interface StoredKey {
  readonly kid: string
  readonly status: string
  readonly key?: Readonly<Record<string, string>>
}

const kidOf = (token: string): string => {
  const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
  return /"kid":"([^"]+)"/.exec(header)?.[1] ?? ''
}

t.test('keys rotate and retire under a service that runs', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'keys.json')
  const [first] = await generateKeyRing('EdDSA')
  await writeFile(file, JSON.stringify([first]), { mode: 0o600 })
  const { spawn, cli } = await createOperatedDeployment(t, {
    env: { JWT_SECRET: '', JWT_ALGORITHM: 'EdDSA', JWT_KEYS_FILE: file }
  })
  const service = await spawn()
  const outputs: string[] = []

  async function keys(...args: string[]) {
    const end = await cli.run(['keys', ...args, '--json'])
    outputs.push(end.stdout, end.stderr)
    return { ...end, ...end.json }
  }
  const stored = async () => JSON.parse(await readFile(file, 'utf8')) as StoredKey[]
  const statuses = async () => (await stored()).map(({ kid, status }) => `${kid} ${status}`)
  const reloads = () => service.stdout().split('keys.reloaded').length - 1
  async function reload(): Promise<void> {
    const before = reloads()
    service.signal('SIGHUP')
    await eventually('it has read the ring again', () => reloads() > before)
  }

  const person = { email: 'ada@example.com', password: 'purple-otter-42-lamp', name: 'Ada' }
  const body = { ...person, tokenDelivery: 'body' }
  const before = tokensOf(await service.post('/api/auth/register', { body }))
  const old = first?.kid ?? ''
  t.equal(kidOf(before.accessToken), old)

  const rotated = await keys('rotate')
  const next = rotated.kid ?? ''
  t.match(rotated, { code: 0, status: 'active', stderr: /verify by the published keys/ })
  t.same(await statuses(), [`${old} verify`, `${next} active`])
  await reload()
  const after = tokensOf(await refresh(service, before.refreshToken))
  t.equal(kidOf(after.accessToken), next, 'the new key signs')
  for (const { accessToken } of [before, after])
    t.equal(verdict(await me(service, accessToken)), 200)

  t.match(await keys('retire', old), { code: 2, error: { message: /add --reason/ } })
  t.match(await keys('retire', old, '--reason', 'leaked', '--yes'), { code: 0, retired: old })
  await reload()
  t.equal(verdict(await me(service, before.accessToken)), 'INVALID_TOKEN', 'what it signed is dead')
  t.equal(verdict(await me(service, after.accessToken)), 200)

  await t.test('in two steps, for services that verify by themselves', async (t) => {
    const { kid: staged = '' } = await keys('rotate', '--stage')
    t.same((await statuses()).slice(1), [`${next} active`, `${staged} verify`])
    t.match(await keys('rotate', '--stage', '--activate'), { code: 2 })
    t.match(await keys('rotate', '--activate'), { code: 0, kid: staged, status: 'active' })
    t.same((await statuses()).slice(1), [`${next} verify`, `${staged} active`])
    t.match(await keys('rotate', '--activate'), { code: 1, error: { message: /No key is staged/ } })

    const retired = await keys('retire', staged, '--reason', 'leaked', '--yes')
    t.match(retired, { code: 0, retired: staged, active: String }, 'a key that signs is replaced')
    await reload()
    t.equal(verdict(await refresh(service, after.refreshToken)), 200)
  })

  await t.test('the file is whole, private and without what is not needed', async (t) => {
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.same(await readdir(folder), ['keys.json'])
    const withPrivatePart = (await stored()).filter(({ key }) => key?.['d'] !== undefined)
    t.same(
      withPrivatePart.map(({ status }) => status),
      ['active']
    )
    const { keys: listed } = await keys('list')
    t.same(
      listed?.map(({ status }) => status),
      ['retired', 'verify', 'retired', 'active']
    )
    const secrets = (await stored()).flatMap(({ key }) => [key?.['d'], key?.['x']])
    for (const secret of secrets) if (secret) t.notOk(outputs.join('').includes(secret))
  })

  await t.test('what can not be done is refused, and audited is what was', async (t) => {
    t.match(await keys('retire', 'nothing', '--reason', 'x', '--yes'), { code: 1 })
    await writeFile(`${file}.lock`, '')
    t.match(await keys('rotate'), { code: 1, error: { message: /Somebody else is changing/ } })
    const { json } = await cli.run(['audit', 'search', '--action', 'key.retired', '--json'])
    t.match(json.events, [{ reason: 'leaked' }, { actor: { kind: 'operator' }, reason: 'leaked' }])
  })

  await t.test('a key is retired while Postgres is away, and that is said', async (t) => {
    const other = join(folder, 'other.json')
    await writeFile(other, JSON.stringify(await generateKeyRing('EdDSA')), { mode: 0o600 })
    const [{ kid = '' } = {}] = JSON.parse(await readFile(other, 'utf8')) as StoredKey[]
    const env = { JWT_KEYS_FILE: other, DATABASE_URL: 'postgres://k:k@127.0.0.1:1/k' }
    const retired = await cli.run(['keys', 'retire', kid, '--yes', '--reason', 'x'], { env })
    t.match(retired, { code: 4, stderr: /The key ring is changed.*the audit lacks it/ })
    t.match(JSON.parse(await readFile(other, 'utf8')), [{ kid, status: 'retired' }, {}])
  })

  t.match(
    await cli.run(['keys', 'rotate'], { env: { JWT_KEYS_FILE: '', JWT_ALGORITHM: 'EdDSA' } }),
    {
      code: 1,
      stderr: /There is no JWT_KEYS_FILE/
    }
  )
})
