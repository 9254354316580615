import type { Config } from '../../config.js'
import { type Check, finder } from './finding.js'

export interface ProcessFacts {
  readonly config: Config
  /** Of Node, such as `24.1.0`. */
  readonly nodeVersion: string
  /** Today, in ms since the epoch. */
  readonly now: number
}

/** When Node's releases get their last security fixes (https://github.com/nodejs/release). */
const endOfLife: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30'
}
const noticeMs = 60 * 24 * 3_600_000

const supportWindow: Check<ProcessFacts> = ({ nodeVersion, now }) => {
  const { warning } = finder('node')
  const major = Number(nodeVersion.split('.')[0])
  const end = endOfLife[major]
  const advice = 'Run the newest Node that is supported for years: an even number.'
  if (end === undefined) {
    return warning(
      `Node ${nodeVersion} is no release with long support that is known here.`,
      advice
    )
  }
  if (now > Date.parse(end)) {
    return warning(`Node ${nodeVersion} gets no security fixes since ${end}.`, advice)
  }
  if (now > Date.parse(end) - noticeMs) {
    return warning(`Node ${nodeVersion} gets security fixes until ${end} only.`, advice)
  }
  return undefined
}

const environment: Check<ProcessFacts> = ({ config }) => {
  if (config.environment === 'production') return undefined
  return finder('NODE_ENV').error(
    'NODE_ENV is not production, so what is convenient but unsafe is not refused.',
    'Set NODE_ENV=production.'
  )
}

const metrics: Check<ProcessFacts> = ({ config }) => {
  if (config.metricsToken !== undefined) return undefined
  return finder('METRICS_TOKEN').warning(
    'There is no METRICS_TOKEN, so nobody sees from outside whether revocations are confirmed.',
    'Set METRICS_TOKEN, and have /metrics read with it.'
  )
}

const logLevel: Check<ProcessFacts> = ({ config: { logLevel: level } }) => {
  const { error, warning } = finder('LOG_LEVEL')
  const advice = 'Set LOG_LEVEL to info.'
  switch (level) {
    case 'info':
      return undefined
    case 'silent':
    case 'fatal':
      return error(`LOG_LEVEL is ${level}: after an incident there is nothing to read.`, advice)
    case 'error':
    case 'warn':
      return warning(`LOG_LEVEL is ${level}: logins and revocations are not logged.`, advice)
    case 'debug':
    case 'trace':
      return warning(`LOG_LEVEL is ${level}: that costs more than it says.`, advice)
  }
}

const passwordLength: Check<ProcessFacts> = ({ config: { passwords } }) => {
  if (passwords.minLength >= 15) return undefined
  return finder('PASSWORD_MIN_LENGTH').warning(
    `Passwords of ${passwords.minLength} characters are taken.`,
    'Set PASSWORD_MIN_LENGTH to 15: NIST SP 800-63B-4 asks for that where there is no second factor.'
  )
}

export const processChecks = [supportWindow, environment, metrics, logLevel, passwordLength]
