import { access, readFile } from 'node:fs/promises'
import t from 'tap'
import { configVariables } from '../src/config.js'
import { runConsole, walkOf } from './support/console.js'
import { needCurl } from './support/curl.js'
import { startKeycard } from './support/keycard.js'
import { temporaryFolder } from './support/temporary-folder.js'

const root = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', root), 'utf8')

/** What differs from run to run, and what the page shortens. */
function normalise(output: string): string {
  return output
    .replaceAll(/eyJ[\w-]+(?:\.[\w-]+\.[\w-]+|…)/g, '<jwt>')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<time>')
    .replaceAll(/"appliedAfterMs":\d+/g, '"appliedAfterMs":<ms>')
    .replaceAll(/curl\/[\d.]+/g, 'curl/<version>')
    .trim()
}

t.test('the walk prints what the page says', async (t) => {
  await needCurl()
  const keycard = await startKeycard(t)
  const walk = walkOf(readme)
  t.ok(walk.length > 8, `${walk.length} commands`)
  const commands = walk.map(({ command }) =>
    command.replaceAll('http://127.0.0.1:3000', keycard.url)
  )
  const outputs = await runConsole(commands, await temporaryFolder(t))
  for (const [index, { command, output }] of walk.entries()) {
    t.equal(normalise(outputs[index] ?? ''), normalise(output), command)
  }
})

t.test('the table of variables is the one that the service reads', (t) => {
  const [, table = ''] = readme.split('<!-- configuration -->')
  const rows = table
    .trim()
    .split(/\n\n/)[0]
    ?.split('\n')
    .slice(2)
    .map((row) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|'))
    )
  // Values are set as code, descriptions of values are not.
  const plain = (text = '') => text.replaceAll('`', '')
  t.same(
    rows?.map(([name, value, description]) => [plain(name), plain(value), description]),
    configVariables.map((variable) => [
      variable.name,
      plain(variable.default),
      variable.description
    ])
  )
  t.end()
})

t.test('every link to a file of the repository leads somewhere', async (t) => {
  const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
  t.ok(targets.length > 3)
  for (const path of targets) await t.resolves(access(new URL(path, root)), path)
})
