/** Whether the entry is this receiver's still: what follows would take it from whoever has it now. */
const isMine = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if #pending == 0 or pending[1][2] ~= ARGV[2] then return 0 end`;

/** KEYS: stream. ARGV: group, receiver, id, for how long nobody is to have looked after it: 0 keeps it, the lock's length frees it. */
export const touch = `${isMine}
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', ARGV[4], 'JUSTID')
return 1`;

/** KEYS: stream, dead letters. ARGV: group, receiver, id, field and value of all that is written there. */
export const setAside = `${isMine}
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 4))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return 1`;

/** KEYS: dead letters, stream. ARGV: id, field and value of all that is written to the stream. Nothing is undone here: what can fail comes first. */
export const sendAgain = `
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], ARGV[1])
return 1`;

/** KEYS: stream. ARGV: group, receiver, the lock's length. Frees what it has, and forgets it where it has nothing: what it had would be forgotten with it. */
export const leave = `
for _, entry in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000, ARGV[2])) do
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry[1], 'IDLE', ARGV[3], 'JUSTID')
end
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return 1`;
