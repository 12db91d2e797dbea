/** Leases in Valkey. */

import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { jobState, serverState } from '../../shared/host/state.ts';
import type { Acquired, Held, LeaseStore } from './lease.ts';
import {
  fenceKey,
  heirKey,
  leaseKey,
  NODE_PREFIX,
  NODES_KEY,
  type Reply,
  type ValkeyConnection,
} from './valkey-connection.ts';

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

const load = v.object({
  /** Names the process. */
  node: v.string(),
  /** Cells awake, by room that it runs. */
  rooms: v.record(v.string(), v.pipe(v.number(), v.minValue(0))),
  /** Rooms that it could take over at once. */
  followed: v.array(v.string()),
  /** What the host sees of it; undefined: it stops, or is of another release. */
  server: v.fallback(v.optional(serverState), undefined),
  /** Films that it has. */
  jobs: v.fallback(v.optional(v.array(jobState)), undefined),
});
export type NodeLoad = v.InferOutput<typeof load>;

/** Tells what this process carries. @returns what the others do @throws Error no answer */
export type ReportLoad = (own: NodeLoad) => Promise<NodeLoad[]>;

/** Allowed when Valkey is full. */
const REPORT = `#!lua flags=allow-oom
local prefix, own = ARGV[1], ARGV[2]
redis.call('SET', prefix .. own, ARGV[3], 'PX', ARGV[4])
redis.call('SADD', KEYS[1], own)
local found = {}
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local load = redis.call('GET', prefix .. node)
  if not load then redis.call('SREM', KEYS[1], node)
  elseif node ~= own then found[#found + 1] = load end
end
return found
`;

export const reportLoad =
  (connection: ValkeyConnection): ReportLoad =>
  async (own) => {
    const life = 3 * DEFAULTS.cluster.report;
    const found = await connection.run(
      ...([REPORT, [NODES_KEY], NODE_PREFIX, own.node, JSON.stringify(own), life] as const),
    );
    return (found as readonly Reply[]).flatMap((one) => {
      // Another release may report something else.
      const parsed = v.safeParse(load, JSON.parse(`${one}`));
      return parsed.success ? [parsed.output] : [];
    });
  };
