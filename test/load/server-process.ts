/** The real server as its own process, with its time and memory told to the process that started it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createVivariumServer } from '../../server/app/create-server.ts';
import { collectGarbageRarely } from '../../server/operations/garbage-collection.ts';
import { readConfig } from '../../server/settings/server.ts';
import { answerParent, noteParent } from './child.ts';
import { quantile } from './figures.ts';
import { GARDEN, Gardener } from './garden.ts';
import { heapInUse } from './heap.ts';
import type { HostPlan, HostQuestion, ServerMemory, ServerWindow } from './messages.ts';
import { sharedNow } from './time.ts';

const ROOM = 'garden';
/** ms between looks at the loop. */
const RESOLUTION = 5;

collectGarbageRarely();
const plan = JSON.parse(process.argv[2]) as HostPlan;
const config = readConfig(
  [
    ...['--host', '127.0.0.1', '--port', '0', '--rooms', ROOM],
    ...['--size', `${GARDEN.width}x${GARDEN.height}`, '--tick-rate', `${GARDEN.tickRate}`],
    ...['--attract', 'off'],
    ...plan.settings,
  ],
  {},
);
if (config === 'help') throw new Error('no help wanted');
const vivarium = await createVivariumServer({
  config,
  clientFolder: '.',
  onFatal: (error) => {
    console.error(error);
    process.exit(1);
  },
});
const { world } = vivarium;
const room = world.rooms.get(ROOM)!;
const roomServer = vivarium.roomServers.get(ROOM)!;
const gardener = new Gardener(room);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
let tickMs: number[] = [];
let awake: number[] = [];
/** The tick that the gardener counts from; undefined: rests. */
let since: number | undefined;

watchTicks();
await growGarden();
delay.enable();

let window = { at: 0, cpu: process.cpuUsage(), skipped: 0 };
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
      delay.reset();
      tickMs = [];
      awake = [];
      window = { at: sharedNow(), cpu: process.cpuUsage(), skipped: roomServer.skippedFrames };
      return undefined;
    case 'end':
      return endWindow();
  }
});

/** Stamps each tick, without a change to the server: its world and room server are called through here. */
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

/** Once a second of the room's time, by its ticks: so each run is of the same garden, whoever else is in it. */
function garden(tick: number): void {
  if (since === undefined || (tick - since) % GARDEN.tickRate !== 0) return;
  gardener.second();
  // Else a long run would measure another garden than a short one: of a hundred, pressed against each other.
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

function measureMemory(): ServerMemory {
  return { heap: heapInUse(), rss: process.memoryUsage().rss };
}

function endWindow(): ServerWindow {
  const { user, system } = process.cpuUsage(window.cpu);
  const seconds = (sharedNow() - window.at) / 1000;
  return {
    cpu: (user + system) / 1e6 / seconds,
    loopDelayP99: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION),
    ticksPerSecond: tickMs.length / seconds,
    tickMs: { p50: quantile(tickMs, 0.5), p99: quantile(tickMs, 0.99) },
    skipped: roomServer.skippedFrames - window.skipped,
    organisms: room.organisms.length,
    awake: { p50: quantile(awake, 0.5), p99: quantile(awake, 0.99) },
    refusals: Object.fromEntries(
      Object.entries(vivarium.rejectionCounts.totals()).filter(([, count]) => count > 0),
    ),
  };
}
