import { availableParallelism } from 'node:os'
import type { Config } from '../../config.js'
import { isBelowArgon2Floor } from '../../config/rules.js'
import { createHashing } from '../../passwords/hashing.js'
import { hashConcurrency } from '../../passwords/passwords.js'
import { type Check, finder } from './finding.js'

export interface HashingFacts {
  readonly config: Config
  readonly cores: number
  /** Hashes at once, as the service makes them. */
  readonly concurrency: number
  /** Password hashes per second on this machine, as it is now. */
  readonly perSecond: number
}

const measuredMs = 250

/** Hashes for a moment as the service would, with all that its pool allows. */
export async function measureHashing(config: Config): Promise<HashingFacts> {
  const hashing = createHashing(config.passwords.argon2)
  const concurrency = hashConcurrency(config.threadPoolSize)
  const start = performance.now()
  let hashes = 0
  const work = async (): Promise<void> => {
    do {
      await hashing.hash('correct horse battery staple')
      hashes++
    } while (performance.now() - start < measuredMs)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const perSecond = hashes / ((performance.now() - start) / 1_000)
  return { config, cores: availableParallelism(), concurrency, perSecond }
}

const floor: Check<HashingFacts> = ({ config }) => {
  if (!isBelowArgon2Floor(config)) return undefined
  const { memoryKib, time } = config.passwords.argon2
  return finder('ARGON2').error(
    `Password hashes of ${memoryKib} KiB and ${time} passes are cheap to guess from a leaked table.`,
    'Set ARGON2_MEMORY_KIB=19456 and ARGON2_TIME=2 or more, the floor of OWASP.'
  )
}

const speed: Check<HashingFacts> = ({ perSecond, concurrency }) => {
  const eachMs = Math.round((concurrency / perSecond) * 1_000)
  if (eachMs <= 1_000) return undefined
  return finder('hash-speed').warning(
    `A password hash takes ${eachMs} ms here, and this machine makes ${perSecond.toFixed(1)} per second: that is how fast people can log in.`,
    'Lower ARGON2_MEMORY_KIB or ARGON2_TIME as far as the floor allows, or add cores.'
  )
}

const threads: Check<HashingFacts> = ({ cores, concurrency, config }) => {
  if (concurrency >= Math.min(cores, 8)) return undefined
  return finder('UV_THREADPOOL_SIZE').warning(
    `Hashing uses ${concurrency} of ${cores} cores, as UV_THREADPOOL_SIZE is ${config.threadPoolSize}.`,
    `Set UV_THREADPOOL_SIZE to ${cores + 2}: two threads are left to DNS and files.`
  )
}

export const hashingChecks = [floor, speed, threads]
