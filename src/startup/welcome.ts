import type { Config } from '../config.js'

/** What a person sees who started the service on their machine: where it is and what to try. */
export function welcome(
  { dataDir, redis }: Pick<Config, 'dataDir' | 'redis'>,
  url: string,
  isEmbedded: boolean
): string {
  const database = isEmbedded ? 'embedded Postgres' : 'the Postgres of DATABASE_URL'
  return `
  Keycard is running, for development.

  URL    ${url}
  Docs   ${url}/docs
  Data   ${isEmbedded ? dataDir : 'in DATABASE_URL'} (${database}${redis === undefined ? ', no Redis' : ', Redis'})

  Try    curl -s ${url}/api/auth/register -H 'content-type: application/json' \\
           -d '{"email":"ada@example.com","password":"purple-otter-42-lamp","name":"Ada"}'

  Stop   Ctrl-C

`
}
