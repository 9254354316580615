import { chmod, chown, mkdir, realpath, stat } from 'node:fs/promises'
import type { Identity } from './account.js'
import { StartError } from './start-error.js'

/**
 * Makes the data directory if need be and, where it is ours to change, takes from it what lets other
 * accounts list it or write to it. Returns its path without symlinks.
 * @throws {StartError} where it can't be made or entered.
 */
export async function openDataDir(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const { mode, uid } = await stat(dataDir)
    const isOurs = [uid, 0].includes(process.getuid?.() ?? uid)
    if (isOurs && (mode & 0o066) !== 0) await chmod(dataDir, mode & 0o711)
    return await realpath(dataDir)
  } catch (cause) {
    throw new StartError(
      `The data directory ${dataDir} can't be used: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'Set KEYCARD_DATA_DIR to a folder of the account that runs Keycard.',
      { cause }
    )
  }
}

/** Lets `identity` pass through the data directory to its own folder, without seeing what else is there. */
export async function letThrough(dataDir: string, identity: Identity): Promise<void> {
  const { uid, mode } = await stat(dataDir)
  if (uid === identity.uid) return
  await chown(dataDir, uid, identity.gid)
  await chmod(dataDir, (mode & 0o700) | 0o010)
}
