package session

import (
	"crypto/sha1" //nolint:gosec // the name Redis gives a script
	"encoding/hex"
)

// script is a state change of Redis. Each touches one hash slot, and each may run
// twice for one call: the second time it changes nothing and answers the same. (A
// limit is taken back again: that is never sent twice.)
type script struct {
	source string
	sha    any // string, as a command takes it
}

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) //nolint:gosec // as above
	return script{source: source, sha: hex.EncodeToString(sum[:])}
}

type scripts struct{ unlimit, save, release, resume, keep, use script }

func newScripts() scripts {
	return scripts{
		unlimit: newScript(unlimitScript), save: newScript(saveScript),
		release: newScript(releaseScript), resume: newScript(resumeScript), keep: newScript(keepScript), use: newScript(useScript),
	}
}

func (s scripts) all() []script {
	return []script{s.unlimit, s.save, s.release, s.resume, s.keep, s.use}
}

// unlimitScript takes one count back, where there is one.
// KEYS counter.
const unlimitScript = `
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 1`

// saveScript replaces the record and gives the lease back, if the version is the
// one before and the lease is the writer's; 0 when lost. The same save again finds
// itself in the header: 1, as the first time.
// KEYS record, lease; ARGV version before, record, time to live in ms.
const saveScript = `
local head = redis.call('GETRANGE', KEYS[1], 0, 56)
local mine = string.sub(ARGV[2], 42, 57)
if string.sub(head, 1, 8) == string.sub(ARGV[2], 1, 8) and string.sub(head, 42, 57) == mine then return 1 end
if string.sub(head, 1, 8) ~= ARGV[1] then return 0 end
if redis.call('GETRANGE', KEYS[2], 0, 15) ~= mine then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1`

// releaseScript gives the lease back if it is the holder's.
// KEYS lease; ARGV holder.
const releaseScript = `
if redis.call('GETRANGE', KEYS[1], 0, 15) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

// resumeScript answers the record. One that is terminal and of this binding is
// marked resumed the first time, and lives no longer than ARGV[2] from then on.
// KEYS record; ARGV binding, ms, bytes to read.
const resumeScript = `
local record = redis.call('GETRANGE', KEYS[1], 0, ARGV[3])
if string.byte(record, 9) == 1 and string.sub(record, 10, 41) == ARGV[1] then
  redis.call('SETRANGE', KEYS[1], 8, string.char(3))
  redis.call('PEXPIRE', KEYS[1], ARGV[2], 'LT')
end
return record`

// keepScript keeps a one-time secret together with the replication history it was
// written in.
// KEYS secret; ARGV hash, tries, ms.
const keepScript = `
local fence = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
redis.call('HSET', KEYS[1], 'fence', fence, 'hash', ARGV[1], 'left', ARGV[2])
redis.call('HDEL', KEYS[1], 'used', 'tried')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`

// useScript counts a try, then compares; a secret from another replication
// history is void, since its use may have been lost with the old master. Answers
// outcome and tries left. The last try is remembered, so that its repeat is
// answered and not counted.
// KEYS secret; ARGV hash, try, ms that a used secret is remembered.
const useScript = `
local s = redis.call('HMGET', KEYS[1], 'fence', 'hash', 'left', 'used', 'tried')
if not s[1] then return {0, 0} end
if s[1] ~= string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') then
  redis.call('DEL', KEYS[1])
  return {0, 0}
end
if s[4] then return {s[4] == ARGV[2] and 1 or 0, 0} end
if s[5] == ARGV[2] then return {2, tonumber(s[3])} end
if tonumber(s[3]) < 1 then return {0, 0} end
local left = redis.call('HINCRBY', KEYS[1], 'left', -1)
if s[2] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'used', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3], 'LT')
  return {1, left}
end
redis.call('HSET', KEYS[1], 'tried', ARGV[2])
return {2, left}`
