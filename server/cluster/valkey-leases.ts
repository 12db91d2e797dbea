/** Leases in Valkey. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Acquired, LeaseStore } from './lease-store.ts';
import type { Reply, ValkeyConnection } from './valkey-connection.ts';
import { fenceKey, leaseKey } from './valkey-keys.ts';

const { lease } = DEFAULTS.cluster;

const ACQUIRE = `
local fence = KEYS[2]
local epoch = tonumber(redis.call('HGET', fence, 'epoch') or '0')
local released = tonumber(redis.call('HGET', fence, 'released') or '0')
local holder = ARGV[1] .. '/' .. (epoch + 1)
if not redis.call('SET', KEYS[1], holder, 'NX', 'PX', ARGV[2]) then return false end
redis.call('HSET', fence, 'epoch', epoch + 1, 'last', 0)
return { epoch + 1, epoch == released and 1 or 0 }
`;

const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'released', ARGV[2])
return redis.call('DEL', KEYS[1])
`;

/** @param connection used for nothing else, so that no large write delays a renewal */
export function valkeyLeases(connection: ValkeyConnection): LeaseStore {
  const keys = (room: string): string[] => [leaseKey(room), fenceKey(room)];
  return {
    async acquire(room, holder): Promise<Acquired | undefined> {
      const reply = await connection.run(ACQUIRE, keys(room), holder, lease);
      if (reply === null) return undefined;
      const [epoch, isReleased] = reply as readonly Reply[];
      return { epoch: Number(epoch), isReleased: isReleased === 1 };
    },
    async renew(room, holder, epoch) {
      return (await connection.run(RENEW, keys(room), `${holder}/${epoch}`, lease)) === 1;
    },
    async release(room, holder, epoch) {
      await connection.run(RELEASE, keys(room), `${holder}/${epoch}`, epoch);
    },
  };
}
