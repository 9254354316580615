/**
 * What the deny-list asks of Redis, each atomic on the server.
 *
 * A data set has a name that is kept in it: `<replication id>:<keys evicted so far>:<nonce>`. It is
 * whole only while the first two are still the server's own. Redis takes a new replication id when
 * it restarts and when a replica is promoted, it counts what it evicts, and a flush takes the name
 * along: in each case every reader finds out in the very reply that would have misled it.
 */

const preamble = `
local replication = redis.call('INFO', 'replication')
local isPrimary = string.match(replication, 'role:(%a+)') == 'master'
local evicted = string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)')
local server = string.match(replication, 'master_replid:(%x+)') .. ':' .. evicted .. ':'
local function isWhole(name)
  return isPrimary and name and string.sub(name, 1, #server) == server
end
local function now()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
local function wholeNameAt(key)
  local name = redis.call('GET', key)
  return isWhole(name) and name or ''
end
`

/** KEYS: name, generation, deny-list keys… ARGV: the name expected → {0}, or {1, generation, levels}. */
export const readScript = `${preamble}
if not isWhole(ARGV[1]) or redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
local generation = redis.call('GET', KEYS[2])
if not generation then return {0} end
return {1, tonumber(generation), redis.call('MGET', unpack(KEYS, 3))}
`

/**
 * KEYS: name, claim, stream, one for each entry. ARGV: how long the stream keeps an entry (ms, 0 = the
 * entries are not announced), then level, time to live (ms, 0 = for ever) and message of each → the
 * name of the data set that holds them now, whole or being filled, '' where there is none; and the
 * place of the last one in the stream.
 *
 * Levels only rise and lives only grow, so that a late or repeated call takes nothing back. The
 * stream is trimmed by age, never by count: a storm of revocations must not push out one that matters.
 */
export const publishScript = `${preamble}
local retention = tonumber(ARGV[1])
local oldest = now() - retention
local last = ''
for index = 4, #KEYS do
  local key = KEYS[index]
  local at = 3 * index - 10
  local level, life = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local known = tonumber(redis.call('GET', key) or '0') or 0
  if known > level then level = known end
  if life == 0 then
    redis.call('SET', key, level)
  else
    local left = redis.call('PTTL', key)
    if left > life then life = left end
    redis.call('SET', key, level, 'PX', life)
  end
  if retention > 0 then
    last = redis.call('XADD', KEYS[3], 'MINID', '~', string.format('%.0f', oldest), '*', 'e', ARGV[at + 2])
  end
end
local name = wholeNameAt(KEYS[1])
if name == '' then name = wholeNameAt(KEYS[2]) end
return {name, last}
`

/** KEYS: name. → {1 if a primary, its name or '' if it is not whole, eviction policy, memory limit}. */
export const inspectScript = `${preamble}
local memory = redis.call('INFO', 'memory')
local policy = string.match(memory, 'maxmemory_policy:([%w%-]+)')
return {isPrimary and 1 or 0, wholeNameAt(KEYS[1]), policy, string.match(memory, 'maxmemory:(%d+)')}
`

/**
 * KEYS: claim, name, generation, followers. ARGV: nonce, the claim's life (ms), the name to be replaced or ''.
 * → the new data set's name; '' where another node was faster. The generation is the one entry that
 * never expires, so one that Postgres does not know (it was restored, or replaced) ends here. Followers
 * of the data set that was are no followers of this one.
 */
export const claimScript = `${preamble}
if not isPrimary then return redis.error_reply('READONLY not a primary') end
if wholeNameAt(KEYS[2]) ~= ARGV[3] or wholeNameAt(KEYS[1]) ~= '' then return '' end
local name = server .. ARGV[1]
redis.call('SET', KEYS[1], name, 'PX', ARGV[2])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
return name
`

/** KEYS: claim. ARGV: name, the claim's life (ms). → 1 if the claim still stands and lives on. */
export const extendScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

/**
 * KEYS: claim, name. ARGV: name. → 1 if the data set is whole from now on. A flush since the claim
 * took the claim along, and entries published in between may be gone with it.
 */
export const finishScript = `${preamble}
if redis.call('GET', KEYS[1]) ~= ARGV[1] or not isWhole(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
`

/**
 * KEYS: name, stream, followers. ARGV: the name expected, the follower, how far it has applied the
 * stream, its count of these calls, how many entries to answer with → {0}, or {1, id, message, …}.
 *
 * Reading renews a lease, so it is a write as well: a primary that was deposed and is told to demand
 * replicas refuses it. When it was read is for people to see, and decides nothing.
 */
export const followScript = `${preamble}
if not isWhole(ARGV[1]) or redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. now())
local answer = {1}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[3], '+', 'COUNT', ARGV[5])) do
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
`

/**
 * KEYS: name, followers, stream. → the name of the data set or '', how far each follower is and when
 * it last read, the place of the newest entry or '', and the time (ms).
 */
export const followersScript = `${preamble}
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
return {wholeNameAt(KEYS[1]), redis.call('HGETALL', KEYS[2]), newest and newest[1] or '', now()}
`
