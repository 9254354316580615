import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { developmentSecrets } from '../../src/embedded/secrets.js'
import { StartError } from '../../src/embedded/start-error.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const fileName = 'development-secrets.json'

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

t.test('secrets are random, long, apart from each other and made once', async (t) => {
  const dataDir = join(await temporaryFolder(t), '.keycard')
  const secrets = await developmentSecrets(dataDir)
  t.ok(Buffer.from(secrets.jwtSecret, 'base64url').length >= 32)
  t.ok(Buffer.from(secrets.refreshSecret, 'base64url').length >= 32)
  t.not(secrets.jwtSecret, secrets.refreshSecret)
  t.same(await developmentSecrets(dataDir), secrets)
  const elsewhere = await developmentSecrets(await temporaryFolder(t))
  t.not(elsewhere.jwtSecret, secrets.jwtSecret)
})

t.test('all who ask at the same time get the same secrets', async (t) => {
  const dataDir = await temporaryFolder(t)
  const all = await Promise.all(Array.from({ length: 50 }, () => developmentSecrets(dataDir)))
  t.equal(new Set(all.map((secrets) => JSON.stringify(secrets))).size, 1)
  t.same(await readdir(dataDir), [fileName], 'no draft is left')
})

t.test('only this account may read them', async (t) => {
  const dataDir = join(await temporaryFolder(t), '.keycard')
  await developmentSecrets(dataDir)
  t.equal(await modeOf(dataDir), 0o700)
  t.equal(await modeOf(join(dataDir, fileName)), 0o600)
})

t.test('modes that others opened are closed again', async (t) => {
  const dataDir = join(await temporaryFolder(t), '.keycard')
  await mkdir(dataDir)
  await chmod(dataDir, 0o777)
  await developmentSecrets(dataDir)
  t.equal(await modeOf(dataDir), 0o711)
  await chmod(join(dataDir, fileName), 0o644)
  await developmentSecrets(dataDir)
  t.equal(await modeOf(join(dataDir, fileName)), 0o600)
})

t.test(
  'a file that holds something else stops the start without telling what it holds',
  async (t) => {
    const dataDir = await temporaryFolder(t)
    for (const content of [
      '',
      'hunter2',
      'null',
      '{"jwtSecret":"hunter2","refreshSecret":"hunter2"}'
    ]) {
      await writeFile(join(dataDir, fileName), content)
      const refusal = await developmentSecrets(dataDir).catch((error: unknown) => error)
      t.type(refusal, StartError)
      t.match(String(refusal), fileName)
      t.notMatch(String(refusal), 'hunter2')
    }
  }
)

t.test('a data directory that is no folder is told by its path', async (t) => {
  const path = join(await temporaryFolder(t), 'file')
  await writeFile(path, '')
  await t.rejects(developmentSecrets(path), { name: 'StartError', message: path })
})
