import type { Asked } from '../compare/loads.js'
import type { RoundsByName } from '../compare/report.js'
import { accessTokensOf, bearing } from '../compare/seed.js'
import { startServer } from '../compare/server-process.js'
import { ratioOfRounds } from '../compare/statistics.js'
import { noProcesses } from '../compare/variants.js'
import { answerSizes, type RequestHead } from '../servers/process.js'
import type { Chart } from './chart.js'
import type { Context, Part } from './context.js'
import { guardedDatabase, startGuarded } from './guarded-node.js'
import { atRate, figuresOf, inSteps, inWords, mediansOf, type Step } from './measure.js'

const tokensInRotation = 500
const roleCounts = [1, 20, 100]
const cookieSizes = [0, 1_000, 4_000, 8_000]

interface Size {
  readonly step: string
  readonly path: string
  readonly requests: readonly RequestHead[]
}

interface Scale {
  readonly title: string
  readonly xLabel: string
  readonly sizes: readonly Size[]
}

/** Whether the guard costs more where requests or answers are larger, beside the bare route with the same ones. */
export const payloads: Part = async (context) => {
  const { lifetime, script, keep } = context
  const guarded = await startGuarded(context, await guardedDatabase(context))
  const bare = await startServer(lifetime, {
    script: script('bare'),
    env: { NODE_ENV: 'production' }
  })
  const sides = [
    { name: 'bare', pid: bare.pid, origin: new URL(bare.url).origin },
    { name: 'guarded', pid: guarded.server.pid, origin: new URL(guarded.url).origin }
  ]
  for (const scale of scales()) {
    const steps: Step[] = scale.sizes.flatMap((size) =>
      sides.map(({ name, pid, origin }) => {
        const asked: Asked = { url: origin + size.path, requests: size.requests }
        const processes = { ...noProcesses, server: [pid] }
        return {
          name: `${name}, ${size.step}`,
          measure: () => atRate(context, asked, processes)
        }
      })
    )
    await inSteps(context, scale.xLabel, steps, async (rounds) => {
      for (const chart of chartsOf(context, scale, rounds)) await keep(chart)
    })
  }
}

function scales(): Scale[] {
  const plain = bearing(accessTokensOf(tokensInRotation))
  return [
    {
      title: 'roles in the token',
      xLabel: 'characters of the token',
      sizes: roleCounts.map((count) => {
        const roles = Array.from({ length: count }, (_, index) => `role-${index + 1_000}`)
        const tokens = accessTokensOf(tokensInRotation, { roles })
        const length = tokens[0]?.length ?? 0
        return { step: inWords(length), path: '/protected', requests: bearing(tokens) }
      })
    },
    {
      title: 'cookies beside the token',
      xLabel: 'bytes of cookies',
      sizes: cookieSizes.map((bytes) => ({
        step: inWords(bytes),
        path: '/protected',
        requests: plain.map(({ headers }) => ({
          headers: bytes === 0 ? headers : { ...headers, cookie: cookiesOf(bytes) }
        }))
      }))
    },
    {
      title: 'size of the answer',
      xLabel: 'bytes of the answer',
      sizes: answerSizes.map((bytes) => ({
        step: inWords(bytes),
        path: `/protected/${bytes}`,
        requests: plain
      }))
    }
  ]
}

/** Cookies of 100 bytes each. */
function cookiesOf(bytes: number): string {
  return Array.from({ length: bytes / 100 }, (_, index) => {
    return `cookie${index.toString().padStart(3, '0')}=${'x'.repeat(88)}`
  }).join('; ')
}

function chartsOf({ options }: Context, scale: Scale, rounds: RoundsByName): Chart[] {
  const steps = scale.sizes.map(({ step }) => step)
  const namesOf = (side: string) => steps.map((step) => `${side}, ${step}`)
  const ratios = steps.map((step) =>
    ratioOfRounds(
      figuresOf(rounds, `guarded, ${step}`, 'cpuUs'),
      figuresOf(rounds, `bare, ${step}`, 'cpuUs')
    )
  )
  const common = { xLabel: scale.xLabel, steps }
  return [
    {
      ...common,
      title: `What the guard adds, by ${scale.title}`,
      note: `CPU per request at ${inWords(options.rate)}/s, as a multiple of the bare route with the same request and answer.`,
      yLabel: '× bare',
      series: [{ name: 'guarded', values: ratios }]
    },
    {
      ...common,
      title: `CPU time per request, by ${scale.title}`,
      note: 'The same in microseconds.',
      yLabel: 'µs',
      series: ['bare', 'guarded'].map((side) => ({
        name: side,
        values: mediansOf(rounds, namesOf(side), 'cpuUs')
      }))
    }
  ]
}
