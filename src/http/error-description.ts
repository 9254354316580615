const causeLimit = 4

/** Errors of the language and of our own, whose messages are made of names and constants. */
const ownMessages = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'Problem',
  'DatabaseUnavailable',
  'QueryFailed',
  'HashQueueFull',
  'RevocationUnconfirmed',
  'PublicationFailed'
])

/** Members by which drivers attach the statement and its parameters. */
const payloadMembers = ['query', 'params', 'parameters', 'args', 'command', 'sql']

/** What the log may know of an error. */
export type ErrorDescription = {
  type: string
  /** The machine-readable code, such as 23505 or ECONNREFUSED. */
  code?: string
  message: string
  /** Where it was thrown; the frames only, because V8 repeats the message above them. */
  stack: string
  cause?: ErrorDescription
}

const mayQuoteInput = (error: Error): boolean =>
  !ownMessages.has(error.name) || payloadMembers.some((member) => member in error)

function framesOf({ stack = '', message }: Error): string {
  const start = message === '' ? 0 : stack.indexOf(message) + message.length
  return stack
    .slice(start)
    .split('\n')
    .filter((line) => /^ {4}at /u.test(line))
    .join('\n')
}

/**
 * The err serializer of the log. Messages of drivers and parsers quote what they choked on: SQL with
 * its parameters, a piece of a request body, a row. Of those only the type, code and place are kept.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const code: unknown = 'code' in error ? error.code : undefined
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' && { code }),
    message: mayQuoteInput(error) ? '' : error.message,
    stack: framesOf(error),
    ...(error.cause !== undefined &&
      depth < causeLimit && { cause: describeError(error.cause, depth + 1) })
  }
}
