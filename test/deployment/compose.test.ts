import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { readCompose } from '../support/compose.js'
import { imageEnvironment } from '../support/dockerfile.js'

const secrets = {
  POSTGRES_PASSWORD: 'a'.repeat(48),
  REDIS_PASSWORD: 'b'.repeat(48),
  JWT_SECRET: randomBytes(48).toString('base64'),
  REFRESH_SECRET: randomBytes(48).toString('base64')
}
const nodes = ['api-1', 'api-2']
const { services, networks, volumes } = readCompose(secrets)

t.test('there are two nodes, alike, behind a proxy that knows both', async (t) => {
  t.strictSame(Object.keys(services).sort(), [...nodes, 'mailpit', 'postgres', 'proxy', 'redis'])
  t.strictSame(services['api-1'], services['api-2'])
  const caddyfile = readFileSync('deploy/Caddyfile', 'utf8')
  const upstreams = nodes.map((node) => `${node}:${imageEnvironment()['PORT']}`)
  t.match(caddyfile, `reverse_proxy ${upstreams.join(' ')} {`)
})

t.test('each service says whether it is healthy, the nodes through their image', async (t) => {
  for (const [name, { healthcheck, build }] of Object.entries(services)) {
    if (nodes.includes(name)) t.equal(build, '.', name)
    else t.ok(healthcheck, name)
  }
})

t.test('each service waits until those it needs are healthy', async (t) => {
  const needs = (name: string) => services[name]?.depends_on
  const healthy = { condition: 'service_healthy' }
  for (const node of nodes) t.strictSame(needs(node), { postgres: healthy, redis: healthy })
  t.strictSame(needs('proxy'), { 'api-1': healthy, 'api-2': healthy })
})

t.test('Redis evicts nothing and keeps what it was told', async (t) => {
  const command = services['redis']?.command?.join(' ')
  t.match(command, '--maxmemory-policy noeviction')
  t.match(command, '--appendonly yes')
  t.match(command, `--requirepass ${secrets.REDIS_PASSWORD}`)
})

t.test('what must survive a container is in a volume with a name', async (t) => {
  for (const name of ['postgres', 'redis', 'proxy', 'mailpit']) {
    const mounted = (services[name]?.volumes ?? []).map((volume) => volume.split(':')[0] ?? '')
    t.ok(
      mounted.some((source) => Object.hasOwn(volumes, source)),
      name
    )
  }
})

t.test('no secret has a default: without one the start is refused, by name', async (t) => {
  for (const name of Object.keys(secrets)) {
    t.throws(() => readCompose({ ...secrets, [name]: '' }), { message: `${name} must be set` })
  }
})

t.test('production accepts the configuration of the nodes', async (t) => {
  const environment = { ...imageEnvironment(), ...services['api-1']?.environment }
  const config = loadConfig(environment)
  t.equal(config.environment, 'production')
  t.match(config.publicUrl, /^https:/)
  t.equal(config.revocation.mode, 'replica')
  t.match(config.databaseUrl, `keycard:${secrets.POSTGRES_PASSWORD}@postgres:5432`)
})

t.test('only the proxy and the nodes are where X-Forwarded-For is believed', async (t) => {
  const trusted = loadConfig({
    ...imageEnvironment(),
    ...services['api-1']?.environment
  }).trustProxy
  t.strictSame(networks['edge']?.ipam?.config, [{ subnet: trusted[0] }])
  t.equal(trusted.length, 1)
  t.strictSame(membersOf('edge'), [...nodes, 'proxy'])
})

t.test('Postgres and Redis can be reached by the nodes alone', async (t) => {
  t.equal(networks['data']?.internal, true)
  t.strictSame(membersOf('data'), [...nodes, 'postgres', 'redis'])
  for (const name of ['postgres', 'redis']) {
    t.strictSame(services[name]?.networks, ['data'])
    t.equal(services[name]?.ports, undefined)
  }
})

t.test('nothing is published to other machines unless asked for', async (t) => {
  const published = (compose: typeof services) =>
    Object.values(compose).flatMap(({ ports = [] }) => ports)
  t.ok(published(services).every((port) => port.startsWith('127.0.0.1:')))
  const opened = readCompose({ ...secrets, PUBLISH_ADDRESS: '0.0.0.0', HTTPS_PORT: '443' })
  t.ok(published(opened.services).includes('0.0.0.0:443:443'))
})

function membersOf(network: string): string[] {
  const members = Object.entries(services).filter(([, service]) =>
    service.networks.includes(network)
  )
  return members.map(([name]) => name).sort()
}
