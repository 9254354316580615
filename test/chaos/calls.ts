import type { RevocationKind } from '../../src/revocation/decision.js'
import type { AccessToken, RefreshToken } from './history.js'
import { isSuccess, resultOf } from './history.js'
import type { Held, Pair, Recorder, Result } from './recorder.js'
import type { Wallet } from './wallet.js'

type Access = Held<AccessToken>

export interface Credentials {
  readonly email: string
  readonly password: string
}

/** The calls that clients make; each is written down. Where it brings tokens, they are kept. */
export type Calls = ReturnType<typeof createCalls>

export function createCalls(recorder: Recorder, wallet: Wallet, nodes: number) {
  const post = (path: string, body: object, access?: Access) => ({
    method: 'POST',
    path,
    ask: { body, token: access?.text }
  })

  function kept(result: Result, ordinal: number): { result: Result; pair: Pair | undefined } {
    const pair = recorder.pair(result, ordinal)
    if (pair !== undefined) wallet.keep(pair)
    return { result, pair }
  }

  async function visit(node: number, access: Access): Promise<Result> {
    const request = { method: 'GET', path: '/api/auth/me', ask: { token: access.text } }
    return await recorder.call(node, { kind: 'visit', token: access.facts }, request)
  }

  /** At every node and at once: that is when one that has not heard of it yet would show. */
  function present(pairs: readonly Pair[]): void {
    for (const { access } of pairs) {
      for (let node = 0; node < nodes; node++) void visit(node, access)
    }
  }

  /** What the route revokes, as it is written down, and how its request is made. */
  async function revoke(
    node: number,
    what: {
      readonly scope: RevocationKind
      readonly target: string
      readonly level?: number
      readonly spares?: string
      readonly by: AccessToken
      readonly takesDead?: true
    },
    request: { method: string; path: string; ask: { body?: unknown; token?: string | undefined } }
  ): Promise<Result> {
    const route = `${request.method} ${request.path.replace(/[0-9a-f-]{36}/, ':id')}`
    const result = await recorder.call(node, { kind: 'revocation', route, ...what }, request)
    if (isSuccess(result)) {
      const since = result.start
      present(wallet.bury((token) => isNamed(what, token) && token.minted.end <= since))
    }
    return result
  }

  return {
    visit,
    revoke,

    async register(node: number, credentials: Credentials) {
      const body = { ...credentials, name: 'Ada', tokenDelivery: 'body' }
      const request = post('/api/auth/register', body)
      return kept(await recorder.call(node, { kind: 'login' }, request), 0)
    },

    async logIn(node: number, credentials: Credentials) {
      const request = post('/api/auth/login', { ...credentials, tokenDelivery: 'body' })
      return kept(await recorder.call(node, { kind: 'login' }, request), 0)
    },

    async refresh(node: number, { text, facts }: Held<RefreshToken>) {
      const request = post('/api/auth/refresh', { refreshToken: text })
      const result = await recorder.call(node, { kind: 'refresh', token: facts }, request)
      if (resultOf(result) === 'REFRESH_REUSED') {
        present(wallet.bury((token) => token.sid === facts.sid))
      }
      return kept(result, facts.ordinal + 1)
    },

    logOut: (node: number, { text, facts }: Access) =>
      revoke(
        node,
        { scope: 'session', target: facts.sid, by: facts, takesDead: true },
        { method: 'POST', path: '/api/auth/logout', ask: { token: text } }
      ),

    endSession: (node: number, by: Access, sessionId: string) =>
      revoke(
        node,
        { scope: 'session', target: sessionId, by: by.facts },
        { method: 'DELETE', path: `/api/auth/sessions/${sessionId}`, ask: { token: by.text } }
      ),

    logOutEverywhere: (node: number, { text, facts }: Access) =>
      revoke(
        node,
        { scope: 'user', target: facts.sub, by: facts, takesDead: true },
        { method: 'POST', path: '/api/auth/logout-all', ask: { token: text } }
      ),

    changePassword: (node: number, by: Access, currentPassword: string, newPassword: string) => {
      const { sub, sid, ver } = by.facts
      return revoke(
        node,
        { scope: 'user', target: sub, level: ver + 1, spares: sid, by: by.facts },
        post('/api/auth/password', { currentPassword, newPassword }, by)
      )
    },

    /** With the access token of an admin. */
    command: (node: number, by: Access, scope: RevocationKind, target: string) =>
      revoke(
        node,
        { scope, target, by: by.facts },
        post('/api/admin/revocations', { target: named(scope, target), reason: 'chaos' }, by)
      )
  }
}

function isNamed(
  { scope, target }: { readonly scope: RevocationKind; readonly target: string },
  token: AccessToken
): boolean {
  switch (scope) {
    case 'token':
      return token.jti === target
    case 'session':
      return token.sid === target
    case 'user':
      return token.sub === target
    case 'everyone':
      return true
  }
}

function named(scope: RevocationKind, target: string): object {
  switch (scope) {
    case 'token':
      return { kind: 'token', jti: target }
    case 'everyone':
      return { kind: 'everyone', confirm: 'everyone' }
    case 'session':
    case 'user':
      return { kind: scope, id: target }
  }
}
