/**
 * The real server as its own process, with its time and memory told to the process that started it.
 */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { collectGarbageRarely } from '../../server/operations/metrics.ts';
import { startServer } from '../support/server.ts';
import { answerParent, noteParent, startArgument } from './child.ts';
import { quantile } from './figures.ts';
import { GARDEN, Gardener } from './garden.ts';
import { heapInUse, ProcessUsage, sharedNow } from './measure.ts';
import type { HostPlan, HostQuestion } from './messages.ts';

const ROOM = 'garden';

collectGarbageRarely();
const plan = startArgument<HostPlan>();
const vivarium = await startServer({
  rooms: ROOM,
  size: `${GARDEN.width}x${GARDEN.height}`,
  'tick-rate': GARDEN.tickRate,
  ...plan.settings,
});
const { world } = vivarium;
const room = world.rooms.get(ROOM)!;
const roomServer = vivarium.roomServers.get(ROOM)!;
const gardener = new Gardener(room);
const usage = new ProcessUsage();
let tickMs: number[] = [];
let awake: number[] = [];
/** The tick that the gardener counts from; undefined: rests. */
let since: number | undefined;

watchTicks();
await growGarden();

let skippedBefore = 0;
answerParent((question: HostQuestion): unknown => {
  switch (question) {
    case 'hello':
      return { port: vivarium.port, engine: vivarium.engine };
    case 'memory':
      return measureMemory();
    case 'enliven':
      since = room.tick;
      return undefined;
    case 'begin':
      tickMs = [];
      awake = [];
      skippedBefore = roomServer.broadcaster.skippedFrames;
      usage.begin();
      return undefined;
    case 'end':
      return endWindow();
  }
});

/**
 * Stamps each tick, without a change to the server: its world and room server are called through
 * here.
 */
function watchTicks(): void {
  const tick = world.tick.bind(world);
  const publish = roomServer.handleTick.bind(roomServer);
  const show = roomServer.broadcast.bind(roomServer);
  let begun = 0;
  /** When the tick that is to be shown had begun. */
  let done = 0;
  world.tick = (rooms, meanwhile) => {
    garden(room.tick + 1);
    begun = sharedNow();
    noteParent({ tick: room.tick + 1, begun });
    return tick(rooms, meanwhile);
  };
  roomServer.handleTick = (...result) => {
    publish(...result);
    done = begun;
    if (since !== undefined) gardener.see(result[0]);
  };
  roomServer.broadcast = (now) => {
    show(now);
    tickMs.push(sharedNow() - done);
    awake.push(room.awake);
  };
}

/**
 * Gardens once per second of room time, counted in ticks, so that each run measures the same
 * garden.
 */
function garden(tick: number): void {
  if (since === undefined || (tick - since) % GARDEN.tickRate !== 0) return;
  gardener.second();
  // Else a long run would measure another garden than a short one: of a hundred, pressed against
  // each other.
  gardener.thin(plan.organisms);
}

/** As fast as it may; done when all are grown and at rest. */
async function growGarden(): Promise<void> {
  vivarium.setTickRate(room, 60);
  gardener.plantFirst(plan.organisms);
  do {
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (room.tick === 0 || room.awake > 0);
  vivarium.setTickRate(room, GARDEN.tickRate);
}

export type ServerMemory = ReturnType<typeof measureMemory>;
export type ServerWindow = ReturnType<typeof endWindow>;
export type HostHello = Pick<VivariumServer, 'port' | 'engine'>;

/** Bytes, after a collection. */
function measureMemory() {
  return { heap: heapInUse(), rss: process.memoryUsage().rss };
}

function endWindow() {
  return {
    /** Cores. */
    cpu: usage.cpu,
    bytesOut: usage.bytesOut,
    /** ms that a timer was late. */
    loopDelayP99: usage.loopDelay(0.99),
    ticksPerSecond: tickMs.length / usage.seconds,
    /** ms from the begin of a tick until its frames were handed to all sockets. */
    tickMs: { p50: quantile(tickMs, 0.5), p99: quantile(tickMs, 0.99) },
    skipped: roomServer.broadcaster.skippedFrames - skippedBefore,
    organisms: room.organisms.length,
    /** How many of them, in a tick: what an engine that shares the core takes follows it. */
    awake: { p50: quantile(awake, 0.5), p99: quantile(awake, 0.99) },
    /** All that it has turned away since its start, by reason. */
    refusals: Object.fromEntries(
      Object.entries(vivarium.rejectionCounts.totals()).filter(([, count]) => count > 0),
    ),
  };
}
