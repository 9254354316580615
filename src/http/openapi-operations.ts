interface Operation {
  responses: Record<string, unknown>
  requestBody?: { required: boolean; content: Record<string, { schema?: unknown }> }
}

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'responses' in value

/** Says of every operation in `paths` of OpenAPI what the routes' schemas can't say. */
export function completeOperations(paths: object = {}): void {
  for (const path of Object.values<object | undefined>({ ...paths })) {
    for (const operation of Object.values<unknown>({ ...path })) {
      if (!isOperation(operation)) continue
      operation.responses['default'] = { $ref: '#/components/responses/Problem' }
      if (operation.requestBody !== undefined) makeOptionalIfNull(operation.requestBody)
    }
  }
}

/** Fastify takes a body that isn't there for null, so where null will do, it need not be there. */
function makeOptionalIfNull(body: NonNullable<Operation['requestBody']>): void {
  for (const media of Object.values(body.content)) {
    const choices = choicesOf(media.schema)
    const others = choices.filter(({ type }) => type !== 'null')
    if (others.length === choices.length) continue
    body.required = false
    media.schema = others.length === 1 ? others[0] : { anyOf: others }
  }
}

function choicesOf(schema: unknown): { type?: unknown }[] {
  const isUnion = typeof schema === 'object' && schema !== null && 'anyOf' in schema
  return isUnion && Array.isArray(schema.anyOf) ? schema.anyOf.filter(isSchema) : []
}

const isSchema = (value: unknown): value is { type?: unknown } =>
  typeof value === 'object' && value !== null
