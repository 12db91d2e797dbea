/** What the processes of a cluster carry, as each reports it. */
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { jobState, serverState } from '../../shared/host/state.ts';
import type { Reply, ValkeyConnection } from './valkey-connection.ts';
import { NODE_PREFIX, NODES_KEY } from './valkey-keys.ts';

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
