import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/**
 * The address that a limit counts: IPv4 as it is, IPv6 by its /64, which is what one customer gets.
 * Whatever a trusted proxy forwards that is no address is replaced by the proxy's own.
 */
export function countedIp({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const address = isIP(ip) === 0 ? (socket.remoteAddress ?? 'unknown') : ip
  return normalizeIP(address.replace(/%.*$/u, ''))
}
