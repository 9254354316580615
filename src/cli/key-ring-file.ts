import { randomBytes } from 'node:crypto'
import { chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import type { JwtAlgorithm } from '../tokens/algorithms.js'
import { keyRingJson, parseKeyRing, parseKeyRingEntries } from '../tokens/key-ring.js'
import type { KeyRingEntry } from '../tokens/key-ring-entry.js'
import { refused } from './command-error.js'

const readableByOwner = 0o600

/** @throws CommandError, KeyRingError */
export async function readKeyRingFile(file: string): Promise<KeyRingEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refused(`JWT_KEYS_FILE ${file} can't be read: ${wordsOf(error)}`)
  })
  return parseKeyRingEntries(keyRingJson(text))
}

/**
 * Changes a key ring file. A reader finds the old ring or the new one and never a half; the new one is
 * as the service would take it, belongs to whom the old one belonged to, and only that account may read
 * it. Of two that change it at once the second is refused.
 *
 * @throws CommandError, KeyRingError
 */
export async function changeKeyRingFile(
  file: string,
  algorithm: JwtAlgorithm,
  change: (entries: readonly KeyRingEntry[]) => KeyRingEntry[]
): Promise<void> {
  // A rename would replace a link by a file.
  const target = await realpath(file).catch(() => file)
  const lock = `${target}.lock`
  const handle = await open(lock, 'wx', readableByOwner).catch((error: unknown) => {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isTaken) throw refused(`${target} can't be changed: ${wordsOf(error)}`)
    throw refused(`Somebody else is changing ${target}. If nobody is, remove ${lock}.`)
  })
  try {
    const entries = change(await readKeyRingFile(target))
    parseKeyRing(entries, algorithm)
    await replace(target, `${JSON.stringify(entries, null, 2)}\n`)
  } finally {
    await handle.close()
    await rm(lock, { force: true })
  }
}

async function replace(target: string, text: string): Promise<void> {
  const { uid, gid, mode } = await stat(target)
  const draft = `${target}.${randomBytes(6).toString('hex')}`
  const handle = await open(draft, 'wx', mode & readableByOwner)
  try {
    await handle.writeFile(text)
    await handle.sync()
    const isOurs = uid === process.getuid?.()
    if (!isOurs) await chown(draft, uid, gid)
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw refused(`${target} can't be written: ${wordsOf(error)}`)
  } finally {
    await handle.close()
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
