import { randomBytes } from 'node:crypto'
import { chmod, link, open, readFile, rm } from 'node:fs/promises'
import { StartError } from './start-error.js'

/**
 * The content, trimmed, of a file that only this account may read. The first of any number of processes to ask
 * for it decides what it holds; it is never seen empty or half written.
 * @throws {StartError} where it can't be read or made.
 */
export async function writeOnce(
  file: string,
  content: () => string | Promise<string>
): Promise<string> {
  try {
    return (await readPrivate(file)) ?? (await create(file, await content()))
  } catch (cause) {
    throw new StartError(
      `${file} can't be used: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'Start Keycard as the account that made it, or set KEYCARD_DATA_DIR to another folder.',
      { cause }
    )
  }
}

async function readPrivate(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    await chmod(file, 0o600)
    return text.trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** link(2) does not replace: the file of whoever was first stays. */
async function create(file: string, text: string): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(draft, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await handle.close()
    await rm(draft)
  }
  return (await readFile(file, 'utf8')).trim()
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
