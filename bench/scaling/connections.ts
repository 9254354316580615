import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { targetOf } from '../compare/loads.js'
import { requestBytes } from '../load/driver/connection.js'
import type { Part } from './context.js'
import { guardedDatabase, startGuarded } from './guarded-node.js'
import { inWords } from './measure.js'
import { memoryChart } from './memory.js'

/** What a node holds for a connection on which one request was answered and the next one is waited for. */
export const connections: Part = async (context) => {
  const { options, lifetime, say, keep } = context
  const node = await startGuarded(context, await guardedDatabase(context))
  const counts = options.connections.toSorted((one, other) => one - other)
  const request = requestBytes({ path: '/protected', ...node.requests[0] })
  const sockets: Socket[] = []
  lifetime.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const memories = []
  for (const count of counts) {
    while (sockets.length < count) {
      const socket = connect({ ...targetOf(node.url), noDelay: true })
      sockets.push(socket)
      socket.write(request)
      await once(socket, 'data')
    }
    const memory = await node.server.memory()
    memories.push(memory)
    say(`connections  ${inWords(count)}: ${(memory.inUse / 1e6).toFixed(1)} MB in use`)
  }
  await keep(
    memoryChart(counts, memories, {
      what: 'idle connections',
      xLabel: 'connections',
      grows: 'resident',
      noteOf: (bytes) => `${(bytes / 1_000).toFixed(1)} KB of resident memory for each connection.`
    })
  )
}
