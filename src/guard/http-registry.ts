import { Compile } from 'typebox/compile'
import type { Registry } from '../revocation/registry.js'
import { LogPageSchema, SightingSchema } from '../routes/node-schemas.js'
import { type KeycardApi, unexpected } from './keycard-api.js'

const sightings = Compile(SightingSchema)
const logPages = Compile(LogPageSchema)

/** The list of nodes and the log of revocations for one node, through Keycard's HTTP API. */
export function createHttpRegistry(api: KeycardApi, nodeId: string): Registry {
  const path = `/api/nodes/${nodeId}`

  return {
    async declare({ mode, dataSet, leaseMs, epoch }) {
      const answer = await api.send('PUT', path, { mode, dataSet, leaseMs, epoch })
      if (answer.status !== 204) throw unexpected(answer)
    },

    async confirm({ epoch }, applied) {
      const answer = await api.send('POST', `${path}/confirm`, {
        epoch,
        ...(applied !== undefined && { applied })
      })
      if (answer.status === 404) return undefined
      if (answer.status !== 200 || !sightings.Check(answer.body)) {
        throw unexpected(answer)
      }
      return answer.body
    },

    async readLog(since, after) {
      const answer = await api.send('POST', `${path}/log`, {
        ...(since !== undefined && { since }),
        ...(after !== undefined && { after })
      })
      if (answer.status !== 200 || !logPages.Check(answer.body)) {
        throw unexpected(answer)
      }
      const { next, ...page } = answer.body
      return { ...page, next: next ?? undefined }
    },

    async remove() {
      const answer = await api.send('DELETE', path)
      if (answer.status !== 204) throw unexpected(answer)
    }
  }
}
