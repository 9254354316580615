import type { RedisClient } from './client.js'

/**
 * Has the client connect anew: its address may lead to another server by now. Without a connection it
 * is about to do that anyway, and being told so meanwhile would end it for good.
 */
export function reconnectRedis(redis: RedisClient): void {
  if (redis.status === 'ready') redis.disconnect(true)
}
