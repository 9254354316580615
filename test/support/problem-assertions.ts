import type { Test } from 'tap'
import { problemList, type ProblemCode } from '../../src/problems.js'

interface Answer {
  status: number
  headers: { get: (name: string) => string | null | undefined }
  body: string
}

/** Asserts that an answer is a complete problem document of this code, and returns it. */
export function assertProblem(t: Test, answer: Answer, code: ProblemCode): Record<string, unknown> {
  const entry = problemList.find((each) => each.code === code)
  t.equal(answer.headers.get('content-type'), 'application/problem+json', `${code}: media type`)
  const document: unknown = JSON.parse(answer.body)
  if (typeof document !== 'object' || document === null) throw new Error('not a problem document')
  t.equal(answer.status, entry?.status, `${code}: status line`)
  t.match(document, {
    code,
    status: entry?.status,
    title: entry?.title,
    type: `/problems/${entry?.slug}`,
    detail: String,
    instance: answer.headers.get('x-request-id')
  })
  if (answer.status === 429 || answer.status === 503) {
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/, `${code}: Retry-After in seconds`)
  }
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  return { ...document }
}

/** An answer of fetch with its body read. */
export async function readAnswer(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: await response.text() }
}
