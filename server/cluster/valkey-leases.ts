/** Leases in Valkey. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Acquired, Held, LeaseStore } from './lease-store.ts';
import type { Reply, ValkeyConnection } from './valkey-connection.ts';
import { fenceKey, heirKey, leaseKey } from './valkey-keys.ts';

const { lease, offer } = DEFAULTS.cluster;

const ACQUIRE = `
local fence = KEYS[2]
local epoch = tonumber(redis.call('HGET', fence, 'epoch') or '0')
local released = tonumber(redis.call('HGET', fence, 'released') or '0')
local renewals = redis.call('HGET', fence, 'renewals') or '0'
local holder = ARGV[1] .. '/' .. (epoch + 1)
local heir = redis.call('GET', KEYS[3]) or ARGV[1]
local isLeased = redis.call('EXISTS', KEYS[1]) == 1
local isAbandoned = renewals == ARGV[3]
if heir ~= ARGV[1] or (isLeased and not isAbandoned) then return { tonumber(renewals) } end
redis.call('SET', KEYS[1], holder, 'PX', ARGV[2])
redis.call('HSET', fence, 'epoch', epoch + 1, 'last', 0)
redis.call('HINCRBY', fence, 'renewals', 1)
return { tonumber(renewals), epoch + 1, epoch == released and 1 or 0 }
`;

/** Allowed when Valkey is full: rooms in which nothing happens go on. */
const RENEW = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[2], 'renewals', 1)
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** An owner after one that has not stored all goes on as after one that has died. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], 'released', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
return redis.call('DEL', KEYS[1])
`;

/** @param connection used for nothing else, so that no large write delays a renewal */
export function valkeyLeases(connection: ValkeyConnection): LeaseStore {
  const keys = (room: string): string[] => [leaseKey(room), fenceKey(room), heirKey(room)];
  return {
    async acquire(room, holder, abandoned): Promise<Acquired | Held> {
      const reply = await connection.run(ACQUIRE, keys(room), holder, lease, abandoned ?? '');
      const [renewals, epoch, isReleased] = (reply as readonly Reply[]).map(Number);
      if (epoch === undefined) return { renewals };
      return { epoch, isReleased: isReleased === 1, renewals };
    },
    async renew(room, holder, epoch) {
      return (await connection.run(RENEW, keys(room), `${holder}/${epoch}`, lease)) === 1;
    },
    async release(room, holder, epoch, { isStored, heir = '' }) {
      const released = isStored ? epoch : '';
      await connection.run(RELEASE, keys(room), `${holder}/${epoch}`, released, heir, offer);
    },
  };
}
