import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Test } from 'tap'
import type { Answer, Ask, Client } from './client.js'

interface Media {
  readonly schema: object
}

interface Response {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, Media>>
}

interface Operation {
  readonly requestBody?: object
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly responses: Readonly<Record<string, Response>>
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** One route of the OpenAPI document: `GET` and `/api/auth/sessions/{id}`. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

const problemMembers = ['type', 'title', 'status', 'code', 'detail', 'instance', 'errors']

/** The routes that the service says it has. */
export async function documentedRoutes(client: Client): Promise<Route[]> {
  const { paths } = await readDocument(client)
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation
    }))
  )
}

async function readDocument(client: Client): Promise<OpenApi> {
  return JSON.parse((await client.get('/openapi.json')).text) as OpenApi
}

/** What the service promises about its answers. */
export interface Contract {
  readonly routes: readonly Route[]
  /** Which of its own promises an answer breaks. */
  readonly violations: (method: string, path: string, answer: Answer) => Promise<string[]>
}

export async function readContract(client: Client): Promise<Contract> {
  const routes = await documentedRoutes(client)
  const validate = await createValidator(client)
  const pages = new Map<string, number>()

  async function ofProblem(answer: Answer): Promise<string[]> {
    const { body, headers } = answer
    const page = body.type ?? '/nowhere'
    const status = pages.get(page) ?? (await client.get(page)).status
    pages.set(page, status)
    return [
      ...ofMedia(answer, 'application/problem+json'),
      ...validate({ $ref: 'openapi#/components/schemas/Problem' }, body),
      ...Object.keys(body).filter((name) => !problemMembers.includes(name)),
      ...(body.status === answer.status ? [] : ['status']),
      ...(body.instance === headers.get('x-request-id') ? [] : ['instance']),
      ...(headers.get('cache-control') === 'no-store' ? [] : ['cache-control']),
      ...(status === 200 ? [] : [`no page at ${page}`])
    ]
  }

  return {
    routes,
    violations: async (method, path, answer) => {
      const promised = routeAt(routes, method, path)?.operation.responses[answer.status]
      if (promised !== undefined) return ofPromise(answer, promised, validate)
      return answer.status < 400 ? ['undocumented'] : await ofProblem(answer)
    }
  }
}

/** A client that asserts that each answer is one that the service's own OpenAPI document promises. */
export interface ContractClient extends Client {
  /** The codes of all problems that came. */
  readonly codes: ReadonlySet<string>
  /** The routes that answered as they do when all is well, as `GET /path`. */
  readonly successes: ReadonlySet<string>
}

export async function holdToContract(t: Test, client: Client): Promise<ContractClient> {
  const { routes, violations } = await readContract(client)
  const codes = new Set<string>()
  const successes = new Set<string>()

  async function send(method: string, path: string, ask?: Ask): Promise<Answer> {
    const answer = await client.send(method, path, ask)
    const said = `${method} ${path} keeps its promise: ${answer.status} ${answer.body.code ?? ''}`
    t.same(await violations(method, path, answer), [], said)
    const route = routeAt(routes, method, path)
    if (answer.body.code !== undefined) codes.add(answer.body.code)
    if (route !== undefined && answer.status < 400) successes.add(`${method} ${route.path}`)
    return answer
  }

  return {
    url: client.url,
    codes,
    successes,
    send,
    get: (path, ask) => send('GET', path, ask),
    post: (path, ask) => send('POST', path, ask),
    patch: (path, ask) => send('PATCH', path, ask),
    delete: (path, ask) => send('DELETE', path, ask)
  }
}

type Validate = (schema: object, value: unknown) => string[]

/** Checks values against schemas that may refer to the document as `openapi#/…`. */
async function createValidator(client: Client): Promise<Validate> {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(await readDocument(client), 'openapi')
  const compiled = new Map<object, ValidateFunction>()
  return (schema, value) => {
    const check = compiled.get(schema) ?? ajv.compile(schema)
    compiled.set(schema, check)
    check(value)
    return (check.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath} ${message ?? ''}`
    )
  }
}

function ofPromise(answer: Answer, { content }: Response, validate: Validate): string[] {
  if (content === undefined) return answer.text === '' ? [] : ['a body']
  return Object.entries(content).flatMap(([type, { schema }]) => [
    ...ofMedia(answer, type),
    ...validate(schema, answer.body)
  ])
}

function ofMedia({ headers }: Answer, type: string): string[] {
  const sent = headers.get('content-type')
  return sent?.replace('; charset=utf-8', '') === type ? [] : [`media type ${String(sent)}`]
}

function routeAt(routes: readonly Route[], method: string, path: string): Route | undefined {
  const [bare = ''] = path.split('?')
  return routes.find((route) => {
    const pattern = route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')
    return route.method === method && new RegExp(`^${pattern}$`).test(bare)
  })
}
