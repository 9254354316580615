import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

type Sender = Pick<FastifyRequest, 'ip' | 'socket'>

/** Whatever a trusted proxy forwards that is no address is replaced by the proxy's own. */
export function clientIp({ ip, socket }: Sender): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? 'unknown') : ip
}

/** The address that a limit counts: IPv4 as it is, IPv6 by its /64, which is what one customer gets. */
export function countedIp(sender: Sender): string {
  return normalizeIP(clientIp(sender).replace(/%.*$/u, ''))
}
