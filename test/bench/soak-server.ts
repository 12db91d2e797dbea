/** The process of the server in `soak.ts`: as `npm start` puts it together, and it says how it fares. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { answerParent } from '../load/child.ts';
import { quantile, rounded } from '../load/figures.ts';
import { heapInUse } from '../load/measure.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { describeMachine } from './machine.ts';

/** The process's one argument, in JSON. */
export interface ServerPlan {
  readonly data: string;
  readonly checkpoint: string;
  readonly engine?: string;
  readonly tickRate: number;
  readonly size: string;
  readonly maxOrganisms: number;
}

/** `begin` and `end` a stretch of ticks. */
export type ServerQuestion = 'hello' | 'state' | 'begin' | 'end';

export interface ServerHello {
  readonly port: number;
  readonly engine: string;
  readonly device: string;
}

/** Of the server's process. */
export interface ServerState {
  /** Used after a collection, and all memory of the process's own, bytes: files that are mapped into it are not. */
  readonly heap: number;
  readonly memory: number;
  /** Open file descriptors; none where that cannot be told. */
  readonly files: number | undefined;
  /** Of all files of its data, bytes. */
  readonly store: number;
  readonly snapshots: number;
  readonly tick: number;
  readonly organisms: number;
  readonly awake: number;
  /** Whether all that happens is kept. */
  readonly keeping: boolean;
}

/** How ticks went in a stretch. */
export interface TickSpread {
  readonly ticks: number;
  /** How long after they were due ticks began, and how long they took, ms. */
  readonly late: { readonly p50: number; readonly p99: number };
  readonly took: { readonly p50: number; readonly p99: number };
  /** Of the machine when it ended: what else ran is in the figures. */
  readonly load: number;
}

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
  {
    onTick: ({ late, took }) => {
      stretch?.late.push(late);
      stretch?.took.push(took);
    },
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
  return {
    heap: heapInUse(),
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
