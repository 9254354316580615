/** At most `max` requests in each window of `windowMs` milliseconds. */
export interface RateLimit {
  readonly max: number
  readonly windowMs: number
}

interface LimitDefinition {
  readonly variable: string
  readonly defaultValue: string
  readonly description: string
}

/**
 * Every rate limit: the variable that sets it, its default as count/window, and what it protects.
 *
 * The numbers per account slow guessing without locking anybody out (OWASP ASVS 5.0 6.1.1): a
 * stranger who exhausts one delays its owner by a minute. Those per IP leave room for an office
 * behind one address.
 */
export const limitDefinitions = {
  requestsPerIp: {
    variable: 'RATE_LIMIT_REQUESTS_PER_IP',
    defaultValue: '6000/1m',
    description: 'every request of one IP address (IPv6: one /64), counted by each node'
  },
  loginPerIp: {
    variable: 'RATE_LIMIT_LOGIN_PER_IP',
    defaultValue: '30/1m',
    description: 'logins from one IP address: against stuffing with many accounts'
  },
  loginPerAccount: {
    variable: 'RATE_LIMIT_LOGIN_PER_ACCOUNT',
    defaultValue: '10/1m',
    description: 'logins to one e-mail address, known or not: against guessing from many addresses'
  },
  registerPerIp: {
    variable: 'RATE_LIMIT_REGISTER_PER_IP',
    defaultValue: '10/1m',
    description: 'registrations from one IP address: against probing which e-mails are taken'
  },
  refreshPerIp: {
    variable: 'RATE_LIMIT_REFRESH_PER_IP',
    defaultValue: '120/1m',
    description: 'refreshes from one IP address'
  },
  refreshPerSession: {
    variable: 'RATE_LIMIT_REFRESH_PER_SESSION',
    defaultValue: '60/1m',
    description: 'refreshes of one session: many tabs pass, a client in a loop does not'
  },
  clientFailuresPerIp: {
    variable: 'RATE_LIMIT_CLIENT_FAILURES_PER_IP',
    defaultValue: '30/1m',
    description: 'failed authentications of clients from one IP address; others are not counted'
  },
  passwordPerAccount: {
    variable: 'RATE_LIMIT_PASSWORD_PER_ACCOUNT',
    defaultValue: '5/1m',
    description: 'password changes and account deletions of one account: both ask for the password'
  },
  passwordsGlobal: {
    variable: 'RATE_LIMIT_PASSWORDS_GLOBAL',
    defaultValue: '1200/1m',
    description: 'all requests of the whole service that cost a password hash'
  }
} as const satisfies Record<string, LimitDefinition>

export type LimitName = keyof typeof limitDefinitions

export type RateLimits = Readonly<Record<LimitName, RateLimit>>

/** Makes something of every limit. */
export function forEachLimit<T>(make: (name: LimitName) => T): Record<LimitName, T> {
  return {
    requestsPerIp: make('requestsPerIp'),
    loginPerIp: make('loginPerIp'),
    loginPerAccount: make('loginPerAccount'),
    registerPerIp: make('registerPerIp'),
    refreshPerIp: make('refreshPerIp'),
    refreshPerSession: make('refreshPerSession'),
    clientFailuresPerIp: make('clientFailuresPerIp'),
    passwordPerAccount: make('passwordPerAccount'),
    passwordsGlobal: make('passwordsGlobal')
  }
}
