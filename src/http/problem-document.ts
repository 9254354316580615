import type { Problem } from '../problems.js'

/** What goes over the wire for a problem, whichever layer sends it (RFC 9457 §3). */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** `instance` is the id of the request, which the answer also carries as x-request-id. */
export function problemAnswer(problem: Problem, requestId: string): ProblemAnswer {
  const { type, title, status, code, detail, errors } = problem
  const document = { type, title, status, code, detail, instance: requestId }
  return {
    status,
    headers: {
      ...problem.headers,
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': requestId
    },
    body: Buffer.from(JSON.stringify(errors === undefined ? document : { ...document, errors }))
  }
}
