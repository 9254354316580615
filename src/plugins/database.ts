import fp from 'fastify-plugin'
import { connectDatabase, type Database } from '../database/connection.js'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

export interface DatabasePluginOptions {
  readonly url: string
}

/** Connects at the first call, so the server may be away when this process starts. */
export default fp<DatabasePluginOptions>(
  async function databasePlugin(app, { url }) {
    const database = connectDatabase(url, { log: app.log })
    app.decorate('database', database)
    app.addHook('onClose', () => database.close())
  },
  { name: 'database', fastify: '5.x' }
)
