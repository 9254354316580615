import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'

const closed = { additionalProperties: false }
const Texts = Type.Array(Type.String())
const Variables = Type.Record(Type.String(), Type.String())

/** What this project uses of https://compose-spec.io: a misspelt key is not in here. */
const ServiceSchema = Type.Object(
  {
    image: Type.String(),
    build: Type.Optional(Type.String()),
    command: Type.Optional(Texts),
    init: Type.Optional(Type.Boolean()),
    restart: Type.Literal('unless-stopped'),
    stop_grace_period: Type.Optional(Type.String()),
    read_only: Type.Optional(Type.Boolean()),
    cap_drop: Type.Optional(Texts),
    security_opt: Type.Optional(Texts),
    environment: Type.Optional(Variables),
    ports: Type.Optional(Texts),
    volumes: Type.Optional(Texts),
    healthcheck: Type.Optional(
      Type.Object(
        {
          test: Texts,
          interval: Type.String(),
          timeout: Type.String(),
          retries: Type.Integer(),
          start_period: Type.String()
        },
        closed
      )
    ),
    depends_on: Type.Optional(
      Type.Record(Type.String(), Type.Object({ condition: Type.String() }, closed))
    ),
    networks: Texts
  },
  closed
)

const NetworkSchema = Type.Object(
  {
    internal: Type.Optional(Type.Boolean()),
    ipam: Type.Optional(
      Type.Object({ config: Type.Array(Type.Object({ subnet: Type.String() }, closed)) }, closed)
    )
  },
  closed
)

const ComposeSchema = Type.Object(
  {
    name: Type.String(),
    services: Type.Record(Type.String(), ServiceSchema),
    networks: Type.Record(Type.String(), Type.Union([Type.Null(), NetworkSchema])),
    volumes: Type.Record(Type.String(), Type.Null())
  },
  closed
)

export type Compose = Static<typeof ComposeSchema>

/** docker-compose.yml, its anchors and variables resolved. Throws where one that must be set is not. */
export function readCompose(values: Readonly<Record<string, string>>): Compose {
  const file: unknown = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true })
  if (typeof file !== 'object' || file === null) throw new TypeError('It has no services')
  const extensions = Object.keys(file).filter((key) => key.startsWith('x-'))
  const known = Object.entries(file).filter(([key]) => !extensions.includes(key))
  const text = JSON.stringify(Object.fromEntries(known))
  return Value.Parse(ComposeSchema, JSON.parse(interpolate(text, values)))
}

/** The forms that the file uses: ${NAME:-default} and ${NAME:?message}. */
function interpolate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{(\w+):([-?])([^}]*)\}/g,
    (_, name: string, form: string, rest: string) => {
      const value = values[name]
      if (value !== undefined && value !== '') return value
      if (form === '?') throw new Error(`${name} ${rest}`)
      return rest
    }
  )
}
