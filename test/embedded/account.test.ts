import { once } from 'node:events'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { type ServerAccount, serverAccount, serverIdentity } from '../../src/embedded/account.js'
import { StartError } from '../../src/embedded/start-error.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const isRoot = process.getuid?.() === 0
const ourUid = String(process.getuid?.())

async function outputOf(account: ServerAccount, program: string, ...args: string[]) {
  const child = account.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (child.stdout === null) throw new Error('The output is not readable')
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return output.trim()
}

t.test('Postgres never runs as root', async (t) => {
  const folder = await temporaryFolder(t)
  const identity = await serverIdentity(join(folder, 'postgres'))
  t.equal(identity !== undefined, isRoot, 'another identity only as root')
  const account = await serverAccount(identity, [tmpdir()])
  const uid = await outputOf(account, '/usr/bin/id', '-u')
  t.not(uid, '0')
  t.equal(uid, identity === undefined ? ourUid : String(identity.uid))
})

t.test('as root, whoever owns the data or the folder around it runs Postgres', async (t) => {
  const folder = await temporaryFolder(t)
  const data = join(folder, 'postgres')
  await mkdir(data)
  if (isRoot) {
    await chown(folder, 4321, 4322)
    t.same(await serverIdentity(data), { uid: 4321, gid: 4322 })
    await chown(data, 1234, 1235)
    t.same(await serverIdentity(data), { uid: 1234, gid: 1235 })
  } else {
    t.equal(await serverIdentity(data), undefined)
  }
})

t.test('a folder that only we can enter does not keep Postgres out', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'file')
  await writeFile(file, 'reached')
  const account = await serverAccount(await serverIdentity(join(folder, 'postgres')), [folder])
  t.equal(await outputOf(account, '/bin/cat', file), 'reached')
  const asked = await outputOf(account, '/bin/sh', '-c', 'test -r "$0" && echo readable', file)
  t.equal(asked, 'readable', 'access(2) agrees')
})

t.test('without setpriv such a folder stops root, with the ways out', async (t) => {
  const folder = await temporaryFolder(t)
  const identity = await serverIdentity(join(folder, 'postgres'))
  const attempt = serverAccount(identity, [folder], '/nowhere/setpriv')
  if (isRoot) {
    const refusal = await attempt.catch((error: unknown) => error)
    t.type(refusal, StartError)
    t.match(String(refusal), /ordinary user.*DATABASE_URL.*chmod o\+x/)
    t.match(String(refusal), folder)
  } else {
    t.equal(await outputOf(await attempt, '/usr/bin/id', '-u'), ourUid)
  }
})

t.test('without setpriv an open folder is enough', async (t) => {
  const folder = await temporaryFolder(t)
  await chmod(folder, 0o711)
  const identity = await serverIdentity(join(folder, 'postgres'))
  const account = await serverAccount(identity, [folder], '/nowhere/setpriv')
  t.equal(await outputOf(account, '/usr/bin/id', '-u'), String(identity?.uid ?? ourUid))
})

t.test("nothing of the service's environment reaches Postgres", async (t) => {
  process.env['PGDATA'] = '/elsewhere'
  t.teardown(() => delete process.env['PGDATA'])
  const account = await serverAccount(await serverIdentity(tmpdir()), [tmpdir()])
  const environment = await outputOf(account, '/usr/bin/env')
  t.match(environment, /^LC_ALL=C$/m)
  t.notMatch(environment, /PGDATA|HOME/)
})
