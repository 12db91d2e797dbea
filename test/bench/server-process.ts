/**
 * The process of a server for `crowd.ts`, `soak.ts` and `public-day.ts`: as `npm start` puts it
 * together, and it says how it fares.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { answerParent, startArgument } from '../load/child.ts';
import { heapInUse, ProcessUsage, sharedNow } from '../load/measure.ts';
import { type ServerSettings, startServer, UNLIMITED } from '../support/server.ts';
import { describeMachine } from './machine.ts';

/** `begin` and `end` a stretch of ticks. */
export type ServerQuestion = 'hello' | 'state' | 'begin' | 'end';

export type ServerHello = ReturnType<typeof hello>;
export type ServerState = ReturnType<typeof lookAtMyself>;
export type ServerStretch = ReturnType<typeof endStretch>;

interface Tick {
  readonly tick: number;
  /** How long after it was due it began, and how long it took, ms. */
  readonly late: number;
  readonly took: number;
  readonly awake: number;
  /** ms of `sharedNow`. */
  readonly due: number;
}

/** Flags of `npm start` without their dashes. */
const settings = startArgument<ServerSettings>();
/** Of the stretch that is looked at, if one is: what is counted must not be what grows. */
let stretch: Tick[] | undefined;
const vivarium = await startServer(
  // Few clients do here what hundreds of visitors would.
  { energy: 'off', limits: UNLIMITED, capacity: 5_000, ...settings },
  {
    onTick: ({ late, took }) => {
      const due = sharedNow() - took - late;
      stretch?.push({ tick: room.tick, late, took, awake: room.awake, due });
    },
  },
);
const room = vivarium.world.rooms.get('garden')!;
/** Looks at the event loop each ms. */
const usage = new ProcessUsage(1);
let busySince = performance.eventLoopUtilization();

answerParent((question: ServerQuestion): unknown => {
  switch (question) {
    case 'hello':
      return hello();
    case 'state':
      return lookAtMyself();
    case 'begin':
      stretch = [];
      usage.begin();
      busySince = performance.eventLoopUtilization();
      return undefined;
    case 'end':
      return endStretch();
  }
});

function hello() {
  const { port, engine } = vivarium;
  return { port, engine: engine.name, device: engine.device };
}

/** @returns what the process holds; bytes */
function lookAtMyself() {
  const files = readdirSync(settings.data as string);
  return {
    /** Used after a collection. */
    heap: heapInUse(),
    /** All of the process's own: files that are mapped into it are not. */
    memory: ownMemory(),
    /** Open file descriptors; none where that cannot be told. */
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined,
    /** Of all files of its data. */
    store: files.reduce((sum, file) => sum + statSync(`${settings.data}/${file}`).size, 0),
    snapshots: vivarium.journalWriter!.snapshotsOf(room).length,
    tick: room.tick,
    organisms: room.size,
    awake: room.awake,
    /** Whether all that happens is kept. */
    keeping: vivarium.journalWriter!.isPersisting,
  };
}

/**
 * Without the store's file, of which the system keeps in memory what it likes; where that cannot be
 * told, with it.
 */
function ownMemory(): number {
  if (process.platform === 'linux') {
    const [, anonymous] =
      /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (anonymous) return 1024 * Number(anonymous);
  }
  return process.memoryUsage().rss;
}

function endStretch() {
  const ticks = stretch!;
  stretch = undefined;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => usage.loopDelay(share));
  return {
    ticks,
    /** By how much the event loop was held up, ms. */
    loop: { p50, p99, max },
    /** Share of the time in which the main thread was at work. */
    busy: performance.eventLoopUtilization(busySince).utilization,
    /** Of the machine: what else ran is in the figures. */
    load: describeMachine().load,
  };
}
