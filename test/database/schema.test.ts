import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import t from 'tap'
import * as schema from '../../src/database/schema.js'

t.test('the migrations make the whole schema: nothing is left to generate', async (t) => {
  const folder = join('migrations', 'meta')
  const snapshots = readdirSync(folder).filter((name) => name.endsWith('_snapshot.json'))
  const last = join(folder, snapshots.sort().at(-1) ?? '')
  const migrated: unknown = JSON.parse(readFileSync(last, 'utf8'))
  t.strictSame(await generateMigration(migrated, generateDrizzleJson(schema)), [])
})
