import { findProgram } from './program.js'

/**
 * The path of redis-server or valkey-server: TEST_REDIS_BINARY, or else the first on the search path.
 * @throws naming the ways to get one
 */
export async function redisBinary(searchPath?: string): Promise<string> {
  const chosen = process.env['TEST_REDIS_BINARY']
  if (chosen && searchPath === undefined) return chosen
  const wanted = {
    names: ['redis-server', 'valkey-server'],
    debianPackage: 'redis-server',
    help:
      'The tests need a real redis-server or valkey-server on PATH. Three ways to get one: ' +
      'install the package of your system (apt install redis-server, dnf install valkey, brew install redis); ' +
      'or run the tests as root on Debian or Ubuntu, which installs it; ' +
      'or build it (https://redis.io/docs/latest/operate/oss_and_stack/install/) and add its folder to PATH.'
  } as const
  return await findProgram(wanted, searchPath)
}
