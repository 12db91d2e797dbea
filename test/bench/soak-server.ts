/** The process of the server in `soak.ts`: as `npm start` puts it together, and it says how it fares. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { answerParent } from '../load/child.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { quantile, rounded } from './figures.ts';
import { describeMachine } from './machine.ts';
import type {
  ServerHello,
  ServerPlan,
  ServerQuestion,
  ServerState,
  TickSpread,
} from './soak-messages.ts';

const { data, checkpoint, engine, tickRate, size, maxOrganisms } = JSON.parse(
  process.argv[2],
) as ServerPlan;
/** Of the stretch that is looked at, if one is: what is counted must not be what grows. */
let stretch: { late: number[]; took: number[] } | undefined;
const vivarium = await startServer(
  {
    ...{ data, checkpoint, size },
    'tick-rate': tickRate,
    // As many as have ground of their own: else some settle between, and the end is another room than the beginning.
    'max-organisms': maxOrganisms,
    capacity: 1_000,
    // Fifty bots do what hundreds of visitors would.
    energy: 'off',
    limits: UNLIMITED,
    ...(engine && { engine }),
  },
  '.',
  undefined,
  undefined,
  ({ late, took }) => {
    stretch?.late.push(late);
    stretch?.took.push(took);
  },
);
const room = vivarium.world.rooms.get('garden')!;

answerParent((question: ServerQuestion): unknown => {
  switch (question) {
    case 'hello':
      return {
        port: vivarium.port,
        engine: vivarium.engine.name,
        device: vivarium.engine.device,
        side: room.species.side,
      } satisfies ServerHello;
    case 'state':
      return lookAtMyself();
    case 'begin':
      stretch = { late: [], took: [] };
      return undefined;
    case 'end':
      return endStretch();
  }
});

function lookAtMyself(): ServerState {
  // Twice: what the first one frees may free more.
  global.gc!();
  global.gc!();
  const { heapUsed } = process.memoryUsage();
  return {
    heap: heapUsed,
    memory: ownMemory(),
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined,
    store: readdirSync(data).reduce((sum, file) => sum + statSync(join(data, file)).size, 0),
    snapshots: vivarium.journalWriter!.snapshotsOf(room).length,
    tick: room.tick,
    organisms: room.size,
    awake: room.awake,
    keeping: vivarium.journalWriter!.isPersisting,
  };
}

/** Without the store's file, of which the system keeps in memory what it likes; where that cannot be told, with it. */
function ownMemory(): number {
  if (process.platform === 'linux') {
    const [, anonymous] =
      /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (anonymous) return 1024 * Number(anonymous);
  }
  return process.memoryUsage().rss;
}

function endStretch(): TickSpread {
  const { late, took } = stretch!;
  stretch = undefined;
  const spread = (samples: readonly number[]) => ({
    p50: rounded(quantile([...samples, 0], 0.5)),
    p99: rounded(quantile([...samples, 0], 0.99)),
  });
  const { load } = describeMachine();
  return { ticks: late.length, late: spread(late), took: spread(took), load: rounded(load) };
}
