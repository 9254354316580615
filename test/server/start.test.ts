import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ownPort } from '../support/own-port.js'
import { needCurl } from '../support/curl.js'
import { refresh, tokensOf, me, verdict, logIn } from '../support/session-calls.js'
import { spawnService, startServiceProcess } from '../support/service-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const bash = async (script: string) => (await promisify(execFile)('bash', ['-c', script])).stdout

const ada = { email: 'ada@example.com', password: 'purple-otter-42-lamp' }

t.test(
  'with nothing set it starts, survives kill -9, and keeps its folder to itself',
  async (t) => {
    await needCurl()
    const cwd = await temporaryFolder(t)
    // The issuer of tokens has the port in it, so it must be the same after the restart.
    const env = { PORT: String(await ownPort()) }
    const postgres = join(cwd, '.keycard', 'postgres', 'postmaster.pid')

    const first = await startServiceProcess(t, { cwd, env })
    const screen = first.stdout()
    t.match(screen, `URL    ${first.url}\n`)
    t.match(screen, `Docs   ${first.url}/docs\n`)
    t.match(screen, `Data   ${join(cwd, '.keycard')} (embedded Postgres, no Redis)\n`)
    t.equal((await first.get('/docs')).status, 200)
    t.ok(existsSync(postgres))

    const line = /Try {4}(curl .*)\n\n {2}Stop/s.exec(screen)?.[1] ?? ''
    const registered: unknown = JSON.parse(await bash(line))
    t.match(registered, { user: { email: ada.email }, tokenType: 'Bearer' })

    const rival = await (await spawnService(t, { cwd })).ended
    t.equal(rival.code, 1)
    t.match(rival.stderr, /^\s*Keycard can't start\.\n\nAnother Keycard runs on .*\n\n$/)

    const tokens = tokensOf(await logIn(first, ada))
    first.signal('SIGKILL')
    t.match(await first.ended, { signal: 'SIGKILL' })

    const second = await startServiceProcess(t, { cwd, env })
    t.equal(verdict(await me(second, tokens.accessToken)), 200, 'the access token lives')
    t.equal(verdict(await refresh(second, tokens.refreshToken)), 200, 'the refresh token lives')
    t.equal(verdict(await logIn(second, ada)), 200, 'the account lives')

    second.signal('SIGINT')
    t.match(await second.ended, { code: 0, signal: null })
    t.notOk(existsSync(postgres), 'Postgres has ended')
  }
)
