#pragma once

#include <string>
#include <string_view>

namespace hubbub::inline v0::detail {

/// The scripts that keep topics. Redis runs a script whole before anything else, so that each is atomic.
///
///     :m  hash    g generation, e epoch, o newest offset, l newest offset that was lost to a limit, c entries, b their bytes,
///                 a no entry is older than this
///     :s  stream  OFFSET-0: t milliseconds, b body, and k key where there is one
///     :k  hash    key -> offset of its entry
///     :i  zset    id -> milliseconds    :j  hash  id -> "epoch offset"
///     :n  hash    node -> "serial milliseconds epoch offset" of the last that it published
///
/// Generation is the server's replication id: a server that has begun anew, or was promoted, has another, and then the topic begins
/// another epoch, whatever the server still has of the old one; likewise if an entry is missing. What it knows of ids and serials stays
/// true. Numbers of 64 bits are text throughout, since Lua's are doubles; text of digits compares by length first. Offsets count up by
/// one and never come to where a double is inexact, so only HINCRBY sees them as numbers. Before the first that adds something nothing is
/// taken away: Redis looks only until then whether it has memory for the rest.
struct RedisScripts {
    // Arguments of both: generation, epoch if there is to be another, time to live, messages, bytes, age.
    static constexpr std::string_view common = R"(
local m, s, k, i, j, n = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local meta = redis.call('HMGET', m, 'g', 'e', 'o', 'l', 'c', 'b', 'a')
local count = tonumber(meta[5] or 0)
if meta[1] ~= ARGV[1] or redis.call('XLEN', s) ~= count then
  redis.call('HSET', m, 'g', ARGV[1], 'e', ARGV[2], 'o', '0', 'l', '0', 'c', '0', 'b', '0', 'a', '0')
  redis.call('PEXPIRE', m, ARGV[3])
  redis.call('DEL', s, k)
  meta = {ARGV[1], ARGV[2], '0', '0', '0', '0', '0'}
  count = 0
end
local epoch, newest, lost, size, oldest = meta[2], meta[3], meta[4], tonumber(meta[6]), tonumber(meta[7])
local function less(a, b) return #a < #b or (#a == #b and a < b) end
local function offset_of(entry) return string.match(entry[1], '^%d+') end
local function drop(entry)
  redis.call('XDEL', s, entry[1])
  count = count - 1
  size = size - #entry[2][4]
end
local function trim()
  local messages, bytes, age = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  while count > 0 and (count > messages or size > bytes or now - oldest > age) do
    local entry = redis.call('XRANGE', s, '-', '+', 'COUNT', 1)[1]
    oldest = tonumber(entry[2][2])
    if count <= messages and size <= bytes and now - oldest <= age then break end
    drop(entry)
    lost = offset_of(entry)
    local key = entry[2][6]
    if key and redis.call('HGET', k, key) == lost then redis.call('HDEL', k, key) end
  end
end
local function keep()
  redis.call('HSET', m, 'l', lost, 'c', count, 'b', size, 'a', oldest)
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
end
)";

    // Further: serial, serial of the one before it that was not answered when it was sent, node, id, how long an id is known, how many
    // of them, key, PUBLISH or SPUBLISH, channel, body. If that one before it was not taken this is not either: it would be the newest
    // serial then, and the other for ever one that was published already.
    // Answers: epoch, offset, 1 if it was published before.
    static constexpr std::string_view publish = R"(
local serial, before, node, id = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local last = redis.call('HGET', n, node)
if last then
  local their_serial, their_epoch, their_offset = string.match(last, '^(%d+) %d+ (%d+) (%d+)$')
  if not less(their_serial, serial) then
    return {epoch, their_serial == serial and their_epoch == epoch and their_offset or '0', 1}
  end
  if before ~= '0' and their_serial ~= before then return redis.error_reply('OVERTAKES one that was not taken') end
elseif before ~= '0' then
  return redis.error_reply('OVERTAKES one that was not taken')
end
local id_age, ids = tonumber(ARGV[11]), tonumber(ARGV[12])
if id ~= '0' then
  local at = redis.call('ZSCORE', i, id)
  if at and now - tonumber(at) <= id_age then
    local their_epoch, their_offset = string.match(redis.call('HGET', j, id) or '', '^(%d+) (%d+)$')
    local offset = their_epoch == epoch and their_offset or '0'
    redis.call('HSET', n, node, serial .. ' ' .. now .. ' ' .. epoch .. ' ' .. offset)
    keep()
    return {epoch, offset, 1}
  end
end
redis.call('HINCRBY', m, 'o', 1)
local offset = redis.call('HGET', m, 'o')
local key, body = ARGV[13], ARGV[16]
if key ~= '0' then
  local replaced = redis.call('HGET', k, key)
  local entry = replaced and redis.call('XRANGE', s, replaced .. '-0', replaced .. '-0')[1]
  if entry then drop(entry) end
  redis.call('HSET', k, key, offset)
  redis.call('XADD', s, offset .. '-0', 't', now, 'b', body, 'k', key)
else
  redis.call('XADD', s, offset .. '-0', 't', now, 'b', body)
end
if count == 0 then oldest = now end
count = count + 1
size = size + #body
trim()
if id ~= '0' then
  redis.call('ZADD', i, now, id)
  redis.call('HSET', j, id, epoch .. ' ' .. offset)
  local known = redis.call('ZCARD', i)
  while known > 0 do
    local first = redis.call('ZRANGE', i, 0, 0, 'WITHSCORES')
    if known <= ids and now - tonumber(first[2]) <= id_age then break end
    redis.call('ZREM', i, first[1])
    redis.call('HDEL', j, first[1])
    known = known - 1
  end
end
if not last then  -- nodes come and go: what those that went have left is not kept for ever
  local all = redis.call('HGETALL', n)
  for at = 2, #all, 2 do
    if now - tonumber(string.match(all[at], '^%d+ (%d+)')) > tonumber(ARGV[3]) then redis.call('HDEL', n, all[at - 1]) end
  end
end
redis.call('HSET', n, node, serial .. ' ' .. now .. ' ' .. epoch .. ' ' .. offset)
keep()
redis.call(ARGV[14], ARGV[15], 'h' .. epoch .. ' ' .. offset .. ' ' .. body)
return {epoch, offset, 0}
)";

    // Further: epoch and offset of `since`, bytes of a part.
    // Answers: epoch, offset where it begins, 1 if there is more, offset that it reached, and offset, age and body of each.
    static constexpr std::string_view read = R"(
trim()
keep()
local since_epoch, since, part = ARGV[7], ARGV[8], tonumber(ARGV[9])
local begins = lost
if since_epoch == epoch and not less(newest, since) and not less(since, lost) then begins = since end
local entries, taken, last, more = {}, 0, begins, 0
local each = 1
if count > 0 then each = math.max(1, math.min(256, math.floor(part / (size / count + 32)))) end
repeat
  local batch = redis.call('XRANGE', s, last .. '-1', '+', 'COUNT', each)
  for _, entry in ipairs(batch) do
    if taken >= part then more = 1 break end
    last = offset_of(entry)
    entries[#entries + 1] = last
    entries[#entries + 1] = now - tonumber(entry[2][2])
    entries[#entries + 1] = entry[2][4]
    taken = taken + #entry[2][4] + 32
  end
until more == 1 or #batch < each
return {epoch, begins, more, more == 1 and last or newest, entries}
)";

    static constexpr std::string_view touch = R"(
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
)";

    static std::string publish_text() { return std::string(common) + std::string(publish); }
    static std::string read_text() { return std::string(common) + std::string(read); }
};

}  // namespace hubbub::inline v0::detail
