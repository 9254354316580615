import type { Clock } from '../../clock.js'
import { type Config, ConfigError } from '../../config.js'
import { commandConfig, type Deployment, openDeployment } from '../deployment.js'
import { describeFailure } from '../failure.js'
import { clockSkew, readDatabaseClock, readRedisClock } from './clocks.js'
import { type Finding, finder, run } from './finding.js'
import { hashingChecks, measureHashing } from './hashing.js'
import { examineKeys } from './keys.js'
import { lifetimeChecks } from './lifetimes.js'
import { linkChecks } from './links.js'
import { networkChecks } from './network.js'
import { nodesChecks, readNodes } from './nodes.js'
import { readSchema, readServer, schemaChecks, serverChecks } from './postgres.js'
import { processChecks } from './process.js'
import { readRedis, redisChecks } from './redis.js'

export interface DiagnosisOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Of Node, such as `24.1.0`. */
  readonly nodeVersion: string
  readonly clock: Clock
}

export interface Diagnosis {
  /** Errors first. */
  readonly findings: readonly Finding[]
  /** Password hashes per second of this machine; null where the configuration can't be read. */
  readonly hashesPerSecond: number | null
}

/** Checks a deployment against what production asks for. Whatever fails is a finding, not an error. */
export async function diagnose(options: DiagnosisOptions): Promise<Diagnosis> {
  let config: Config
  try {
    config = commandConfig(options)
  } catch (error) {
    return { findings: configurationFindings(error), hashesPerSecond: null }
  }
  const { nodeVersion, clock } = options
  const hashing = await measureHashing(config)
  const findings = [
    ...run(processChecks, { config, nodeVersion, now: clock() }),
    ...run(networkChecks, config),
    ...run(linkChecks, config),
    ...run(lifetimeChecks, config),
    ...run(hashingChecks, hashing),
    ...(await examineKeys(config)),
    ...(await examineDeployment(options, config))
  ]
  const isError = ({ severity }: Finding) => severity === 'error'
  return {
    findings: [...findings.filter(isError), ...findings.filter((found) => !isError(found))],
    hashesPerSecond: Math.round(hashing.perSecond * 10) / 10
  }
}

/** One for each variable: the service does not start with it. */
function configurationFindings(error: unknown): Finding[] {
  if (!(error instanceof ConfigError)) throw error
  return error.problems.map(({ variable, given, allowed }) =>
    finder(variable).error(
      `The service does not start: ${variable} is ${given}.`,
      `Allowed is ${allowed}.`
    )
  )
}

async function examineDeployment(options: DiagnosisOptions, config: Config): Promise<Finding[]> {
  let deployment: Deployment
  try {
    deployment = await openDeployment({ ...options, note: () => undefined })
  } catch (error) {
    return [unreachable('postgres', error)]
  }
  try {
    const [postgres, redis] = await Promise.all([
      examinePostgres(deployment, options.clock),
      examineRedis(deployment, config, options.clock)
    ])
    return [...postgres, ...redis]
  } finally {
    await deployment.close()
  }
}

async function examinePostgres(
  { database, config, isRedisReady }: Deployment,
  clock: Clock
): Promise<Finding[]> {
  try {
    const server = await readServer(database)
    const findings = run(serverChecks, server)
    findings.push(...run([clockSkew], await readDatabaseClock(database, clock)))
    // Without its tables there is nothing more to ask.
    if (server.migrations.pending > 0) return findings
    const nodes = await readNodes(database, config, { now: clock(), isRedisReady })
    return [
      ...findings,
      ...run(schemaChecks, await readSchema(database, config, server)),
      ...run(nodesChecks, nodes)
    ]
  } catch (error) {
    return [unreachable('postgres', error)]
  }
}

async function examineRedis(
  { redis, isRedisReady }: Deployment,
  config: Config,
  clock: Clock
): Promise<Finding[]> {
  if (redis === undefined) return []
  try {
    if (!isRedisReady) throw new Error('Redis does not answer.')
    return [
      ...run(redisChecks, await readRedis(config, redis)),
      ...run([clockSkew], await readRedisClock(redis, clock))
    ]
  } catch {
    return [
      finder('redis').error(
        'Redis does not answer, so nodes ask Postgres for each request.',
        'Check that it runs, that REDIS_URL leads to it, and its password.'
      )
    ]
  }
}

function unreachable(check: string, error: unknown): Finding {
  return finder(check).error(
    describeFailure(error).message,
    'Mend that first: the other checks of the database could not be made.'
  )
}
