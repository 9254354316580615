/** Keycard did not answer in time, or not as it should. What it knows can't be known now. */
export class KeycardUnavailable extends Error {
  override name = 'KeycardUnavailable'
}

export interface KeycardApiOptions {
  /** Keycard's origin, without a slash at the end. */
  readonly keycardUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** How long one call may take, in milliseconds. */
  readonly deadlineMs: number
}

export interface KeycardAnswer {
  readonly status: number
  readonly body: unknown
}

export type KeycardApi = ReturnType<typeof createKeycardApi>

/** Calls Keycard as a client that an operator registered (HTTP Basic, RFC 6749 §2.3.1). */
export function createKeycardApi(options: KeycardApiOptions) {
  const { keycardUrl, clientId, clientSecret, deadlineMs } = options
  const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`

  async function call(
    method: string,
    path: string,
    body?: { readonly type: string; readonly text: string }
  ): Promise<KeycardAnswer> {
    try {
      const answer = await fetch(new URL(path, keycardUrl), {
        method,
        headers: { authorization, ...(body && { 'content-type': body.type }) },
        ...(body && { body: body.text }),
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs)
      })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
    } catch (cause) {
      throw new KeycardUnavailable('Keycard does not answer', { cause })
    }
  }

  return {
    /** @throws KeycardUnavailable */
    get: async (path: string) => await call('GET', path),

    /** @throws KeycardUnavailable */
    async send(method: 'PUT' | 'POST' | 'DELETE', path: string, value?: object) {
      const body = value && { type: 'application/json', text: JSON.stringify(value) }
      return await call(method, path, body)
    },

    /** @throws KeycardUnavailable */
    async post(path: string, fields: Readonly<Record<string, string>>) {
      const text = new URLSearchParams(fields).toString()
      return await call('POST', path, { type: 'application/x-www-form-urlencoded', text })
    }
  }
}

/** @throws KeycardUnavailable for an answer that is none: an error page of a proxy, for instance */
export function unexpected({ status }: KeycardAnswer): KeycardUnavailable {
  return new KeycardUnavailable(`Keycard answered with status ${String(status)}`)
}
