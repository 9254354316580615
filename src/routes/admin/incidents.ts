import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Incidents } from '../../incidents/incidents.js'
import type { IncidentKeeper } from '../../incidents/keeper.js'
import type { Incident } from '../../incidents/store.js'
import { type IncidentTarget, parseTarget } from '../../incidents/target.js'
import { problem } from '../../problems.js'
import { userOrigin } from '../origin.js'
import { closed, UuidSchema } from '../schemas.js'
import {
  EstimateSchema,
  incidentAnswer,
  IncidentAnswerSchema,
  IncidentSchema,
  StartBodySchema
} from './incident-schemas.js'

export interface AdminIncidentRoutesOptions {
  readonly incidents: Incidents
  readonly keeper: Pick<IncidentKeeper, 'work'>
}

const ParamsSchema = closed({ id: UuidSchema })
const tags = ['Administration']
const security = [{ bearer: [] }]

/** The incident switch: everybody or a cohort is logged out, in the background of this node. */
const adminIncidentRoutes: FastifyPluginAsyncTypebox<AdminIncidentRoutesOptions> =
  async function adminIncidentRoutes(app, { incidents, keeper }) {
    app.addHook('onRequest', app.requireAdmin)

    app.post(
      '/incidents',
      {
        schema: {
          summary: 'Log out everybody, or a cohort',
          description:
            'The sessions of a cohort are revoked in the background: look at the incident for its progress. With dryRun, it is only counted.',
          tags,
          security,
          body: StartBodySchema,
          response: { 200: closed({ estimate: EstimateSchema }), 202: IncidentAnswerSchema }
        }
      },
      async function start(request, reply) {
        const { reason, dryRun = false } = request.body
        const target = targetOf(request.body)
        const [unknown] = await incidents.unknownSpared(target)
        if (unknown !== undefined) throw refused('/spare', `There is no account ${unknown}.`)
        if (dryRun) {
          const estimate = await incidents.estimate(target)
          if (incidents.sparesTooMany(target, estimate)) throw tooManySpared()
          return { estimate }
        }
        const started = await incidents.start({ target, reason, origin: userOrigin(request) })
        if (started.kind === 'too many spared') {
          throw tooManySpared()
        }
        const { incident } = started
        log(request, 'started', incident)
        keeper.work(incident.id)
        reply.code(202)
        return { incident: incidentAnswer(incident) }
      }
    )

    app.get(
      '/incidents',
      {
        schema: {
          summary: 'The latest incidents, newest first',
          tags,
          security,
          response: { 200: closed({ incidents: Type.Array(IncidentSchema) }) }
        }
      },
      async () => ({ incidents: (await incidents.list()).map(incidentAnswer) })
    )

    app.get(
      '/incidents/:id',
      {
        schema: {
          summary: 'How far an incident is',
          description:
            'Once it is finished, the receipt says how it is known to be true everywhere.',
          tags,
          security,
          params: ParamsSchema,
          response: { 200: IncidentAnswerSchema }
        }
      },
      async (request) => answer(await incidents.find(request.params.id))
    )

    app.post(
      '/incidents/:id/stop',
      {
        schema: {
          summary: 'Stop an incident',
          description: 'What was revoked stays revoked. One that is over stays as it is.',
          tags,
          security,
          params: ParamsSchema,
          response: { 200: IncidentAnswerSchema }
        }
      },
      async function stop(request) {
        const incident = await incidents.stop(request.params.id, userOrigin(request))
        if (incident !== undefined) log(request, 'stopped', incident)
        return answer(incident)
      }
    )

    app.post(
      '/incidents/:id/resume',
      {
        schema: {
          summary: 'Let a stopped incident go on where it was',
          tags,
          security,
          params: ParamsSchema,
          response: { 200: IncidentAnswerSchema }
        }
      },
      async function resume(request) {
        const incident = await incidents.resume(request.params.id, userOrigin(request))
        if (incident?.status === 'running') {
          log(request, 'resumed', incident)
          keeper.work(incident.id)
        }
        return answer(incident)
      }
    )
  }

export default adminIncidentRoutes

/** @throws a Problem that names the field */
function targetOf({
  target: asked,
  spare,
  spareRole,
  dryRun
}: Static<typeof StartBodySchema>): IncidentTarget {
  const spared = {
    ...(spare === undefined ? {} : { spare }),
    ...(spareRole === undefined ? {} : { spareRole })
  }
  if (asked.kind === 'everyone' && asked.confirm === undefined && dryRun === undefined) {
    throw refused('/target/confirm', 'Must be "everyone": it logs out everybody.')
  }
  const wanted = asked.kind === 'everyone' ? { kind: asked.kind } : asked
  const parsed = parseTarget({ ...wanted, ...spared })
  if (parsed.kind === 'valid') return parsed.target
  const isSpare = parsed.field === 'spare'
  throw refused(isSpare ? '/spare' : `/target/${parsed.field}`, parsed.reason)
}

const tooManySpared = () => refused('/spare', 'These accounts have too many sessions to be spared.')

const refused = (path: string, message: string) =>
  problem('VALIDATION_FAILED', { errors: [{ path, message }] })

function answer(incident: Incident | undefined) {
  if (incident === undefined) {
    throw problem('NOT_FOUND', { detail: 'There is no incident with this id.' })
  }
  return { incident: incidentAnswer(incident) }
}

function log(request: FastifyRequest, what: string, { id, target }: Incident): void {
  request.log.warn({ event: `incident.${what}`, incidentId: id, target: target.kind })
}
