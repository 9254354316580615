import type { Command } from 'commander'
import { type Criteria, type IncidentTarget, parseTarget } from '../incidents/target.js'
import { misuse } from './command-error.js'
import type { Deployment } from './deployment.js'
import { momentOf } from './moments.js'
import { findAccount } from './people.js'

export interface SpareOptions {
  readonly spare?: readonly string[]
  readonly spareServices?: boolean
}

export interface CohortOptions extends SpareOptions {
  readonly role?: string
  readonly createdBefore?: string
  readonly createdAfter?: string
  readonly lastUsedBefore?: string
  readonly lastUsedAfter?: string
  readonly ipRange?: string
  readonly key?: string
}

export function spareOptions(command: Command): Command {
  return command
    .option('--spare <account...>', 'accounts whose sessions go on, by e-mail or id')
    .option('--spare-services', 'also those of all accounts with the role service')
}

export function cohortOptions(command: Command): Command {
  const time = 'an ISO 8601 time, or an age such as 2h'
  return spareOptions(
    command
      .option('--role <role>', 'sessions of accounts with this role')
      .option('--created-before <time>', `opened before: ${time}`)
      .option('--created-after <time>', `opened since: ${time}`)
      .option('--last-used-before <time>', 'opened or refreshed for the last time before')
      .option('--last-used-after <time>', 'opened or refreshed since')
      .option('--ip-range <range>', 'opened from an address in this CIDR range')
      .option('--key <kid>', 'with an access token that this key signed')
  )
}

/** @throws CommandError for an option that can't be one, or none at all */
export async function cohortTarget(
  deployment: Deployment,
  options: CohortOptions
): Promise<IncidentTarget> {
  const { role, ipRange, key: keyId, createdBefore, createdAfter } = options
  const given = {
    role,
    createdBefore: timeOf(createdBefore),
    createdAfter: timeOf(createdAfter),
    lastUsedBefore: timeOf(options.lastUsedBefore),
    lastUsedAfter: timeOf(options.lastUsedAfter),
    ipRange,
    keyId
  }
  return checked({ kind: 'cohort', ...defined(given), ...(await spared(deployment, options)) })
}

export async function everyoneTarget(
  deployment: Deployment,
  options: SpareOptions
): Promise<IncidentTarget> {
  return checked({ kind: 'everyone', ...(await spared(deployment, options)) })
}

async function spared(deployment: Deployment, { spare, spareServices }: SpareOptions) {
  const accounts = await Promise.all((spare ?? []).map((name) => findAccount(deployment, name)))
  return {
    ...(accounts.length > 0 && { spare: accounts.map(({ id }) => id) }),
    ...(spareServices === true && { spareRole: 'service' as const })
  }
}

function checked(target: IncidentTarget): IncidentTarget {
  const parsed = parseTarget(target)
  if (parsed.kind === 'valid') return parsed.target
  throw misuse(`${parsed.field === 'kind' ? 'target' : parsed.field}: ${parsed.reason}`)
}

function timeOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : momentOf(text).toISOString()
}

function defined(criteria: { readonly [Name in keyof Criteria]: string | undefined }): Criteria {
  return Object.fromEntries(Object.entries(criteria).filter(([, text]) => text !== undefined))
}
