/* global __ENV */
/**
 * The scenarios of `npm run load` for k6, against any deployment of development whose limits are off. It was checked
 * for syntax and has not been run.
 *
 *   k6 run -e BASE=http://127.0.0.1:3000 -e SCENARIO=verify -e RATE=2000 bench/k6/keycard.js
 *
 * SCENARIO: verify, refresh, login, mixed, revoke-storm, or everyone (needs ADMIN_EMAIL and ADMIN_PASSWORD).
 * The run fails when a token is accepted in a request that was sent after its revocation had been answered.
 */
import { check, fail } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'

const base = __ENV.BASE ?? 'http://127.0.0.1:3000'
const scenario = __ENV.SCENARIO ?? 'verify'
const usualRates = {
  verify: 2000,
  refresh: 200,
  login: 20,
  mixed: 1000,
  'revoke-storm': 1000,
  everyone: 1000
}
const perSecond = Number(__ENV.RATE ?? usualRates[scenario] ?? 100)
const people = Number(__ENV.PEOPLE ?? 100)
const protectedPath = __ENV.PROTECTED ?? '/api/auth/sessions'
const password = 'violet harbour 17 kite'

const accepted = new Counter('revoked_tokens_accepted')
const revocationMs = new Trend('revocation_answer', true)

const steps = { verify, refresh, login, mixed, 'revoke-storm': revokeStorm, everyone: verify }

export const options = {
  discardResponseBodies: false,
  // Each person costs a hash.
  setupTimeout: '5m',
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: perSecond,
      timeUnit: '1s',
      duration: __ENV.DURATION ?? '30s',
      // One for each person: sessions that were shared would see each other's refreshes as theft. What they can't
      // send in time is counted in dropped_iterations.
      preAllocatedVUs: people,
      maxVUs: people
    },
    ...(scenario === 'everyone' && {
      switch: {
        executor: 'shared-iterations',
        vus: 1,
        iterations: 1,
        startTime: '10s',
        exec: 'revokeEveryone'
      }
    })
  },
  thresholds: { revoked_tokens_accepted: ['count==0'] }
}

const json = { headers: { 'content-type': 'application/json' } }
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } })

function post(path, body, parameters = json) {
  return http.post(`${base}${path}`, body === undefined ? null : JSON.stringify(body), parameters)
}

function logIn(email, secret = password) {
  return post('/api/auth/login', { email, password: secret, tokenDelivery: 'body' })
}

/** Accounts for this run, logged in. */
export function setup() {
  if (!(scenario in steps)) fail(`SCENARIO is one of ${Object.keys(steps).join(', ')}`)
  const run = Date.now()
  // The virtual user that revokes everyone takes a number as well.
  return Array.from({ length: people + 1 }, (_, index) => {
    const email = `k6-${run}-${index}@example.com`
    const body = { email, password, name: 'k6', tokenDelivery: 'body' }
    const answer = post('/api/auth/register', body)
    if (answer.status !== 201) fail(`Nobody can register: ${answer.status} ${answer.body}`)
    const { accessToken, refreshToken } = answer.json()
    return { email, accessToken, refreshToken }
  })
}

/** Each virtual user is one of the people, and keeps its own pair of tokens. */
let mine

export default function (everybody) {
  mine ??= { ...everybody[(exec.vu.idInTest - 1) % everybody.length] }
  steps[scenario]()
}

function verify() {
  const sentAt = Date.now()
  const answer = http.get(`${base}${protectedPath}`, bearer(mine.accessToken))
  const isRevoked = mine.revokedAt !== undefined && sentAt > mine.revokedAt
  if (isRevoked && answer.status === 200) accepted.add(1)
  check(answer, { 'verify is decided': ({ status }) => status === 200 || status === 401 })
  if (scenario === 'everyone' && answer.status === 401) login()
}

function refresh() {
  const answer = post('/api/auth/refresh', { refreshToken: mine.refreshToken })
  const isRefreshed = check(answer, { refreshed: ({ status }) => status === 200 })
  if (isRefreshed) Object.assign(mine, pairIn(answer))
}

function login() {
  const answer = logIn(mine.email)
  const isAnswered = check(answer, {
    'logged in, or told to wait': ({ status }) => status === 200 || status === 503
  })
  if (isAnswered && answer.status === 200) Object.assign(mine, pairIn(answer))
}

function pairIn(answer) {
  const { accessToken, refreshToken } = answer.json()
  return { accessToken, refreshToken }
}

function mixed() {
  const part = Math.random()
  if (part < 0.01) login()
  else if (part < 0.05) refresh()
  else verify()
}

function revokeStorm() {
  if (mine.revokedAt !== undefined || Math.random() >= 0.05) {
    verify()
    return
  }
  const sentAt = Date.now()
  const answer = post('/api/auth/logout', undefined, bearer(mine.accessToken))
  if (answer.status !== 204) return
  mine.revokedAt = Date.now()
  revocationMs.add(mine.revokedAt - sentAt)
}

/** Virtual users share nothing, so the one that revokes everyone tries everybody's first token itself. */
export function revokeEveryone(everybody) {
  const admin = logIn(__ENV.ADMIN_EMAIL, __ENV.ADMIN_PASSWORD)
  if (admin.status !== 200) fail(`The administrator can't log in: ${admin.status}`)
  const sentAt = Date.now()
  const headers = { ...bearer(admin.json().accessToken).headers, ...json.headers }
  const body = { target: { kind: 'everyone', confirm: 'everyone' }, reason: 'load test' }
  const answer = post('/api/admin/revocations', body, { headers })
  check(answer, { 'everyone is revoked': ({ status }) => status === 201 })
  if (answer.status !== 201) return
  revocationMs.add(Date.now() - sentAt)
  const visits = everybody.map(({ accessToken }) => {
    return { method: 'GET', url: `${base}${protectedPath}`, params: bearer(accessToken) }
  })
  for (const { status } of http.batch(visits)) if (status === 200) accepted.add(1)
}
