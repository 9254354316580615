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
 * KEYS: name, claim, one for each entry. ARGV: level and time to live (ms, 0 = for ever) of each →
 * the name of the data set that holds them now, whole or being filled; '' where there is none.
 * Levels only rise and lives only grow, so that a late or repeated call takes nothing back.
 */
export const publishScript = `${preamble}
for index = 3, #KEYS do
  local key = KEYS[index]
  local level, life = tonumber(ARGV[2 * index - 5]), tonumber(ARGV[2 * index - 4])
  local known = tonumber(redis.call('GET', key) or '0') or 0
  if known > level then level = known end
  if life == 0 then
    redis.call('SET', key, level)
  else
    local left = redis.call('PTTL', key)
    if left > life then life = left end
    redis.call('SET', key, level, 'PX', life)
  end
end
local name = wholeNameAt(KEYS[1])
return name ~= '' and name or wholeNameAt(KEYS[2])
`

/** KEYS: name. → {1 if a primary, its name or '' if it is not whole, eviction policy, memory limit}. */
export const inspectScript = `${preamble}
local memory = redis.call('INFO', 'memory')
local policy = string.match(memory, 'maxmemory_policy:([%w%-]+)')
return {isPrimary and 1 or 0, wholeNameAt(KEYS[1]), policy, string.match(memory, 'maxmemory:(%d+)')}
`

/**
 * KEYS: claim, name, generation. ARGV: nonce, the claim's life (ms), the name to be replaced or ''.
 * → the new data set's name; '' where another node was faster. The generation is the one entry that
 * never expires, so one that Postgres does not know (it was restored, or replaced) ends here.
 */
export const claimScript = `${preamble}
if not isPrimary then return redis.error_reply('READONLY not a primary') end
if wholeNameAt(KEYS[2]) ~= ARGV[3] or wholeNameAt(KEYS[1]) ~= '' then return '' end
local name = server .. ARGV[1]
redis.call('SET', KEYS[1], name, 'PX', ARGV[2])
redis.call('DEL', KEYS[2], KEYS[3])
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
