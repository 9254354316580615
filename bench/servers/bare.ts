/** The limit: the route that the others protect, without any protection. */
import Fastify from 'fastify'
import { announce, answer, answerSchema } from './process.js'

const app = Fastify()
app.get('/protected', { schema: answerSchema }, async () => answer)
await announce(app, '/protected')
