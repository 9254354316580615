/** The limit: the route that the others protect, without any protection. */
import Fastify from 'fastify'
import { addRoutes, announce } from './process.js'

const app = Fastify()
addRoutes(app)
await announce(app, '/protected')
