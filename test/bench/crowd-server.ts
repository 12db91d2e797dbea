/** The process of the server in `crowd.ts`: as `npm start` puts it together, with a watch on its ticks and its event loop. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createVivariumServer } from '../../server/app/create-server.ts';
import { readConfig } from '../../server/settings/server.ts';
import { UNLIMITED } from '../support/server.ts';
import { gridFor } from './crowd-grid.ts';

/** The process's one argument, in JSON. */
export interface ServerStart {
  readonly organisms: number;
  readonly tickRate: number;
  /** Side of a grown organism. */
  readonly side: number;
  readonly checkpoint: string;
  readonly engine?: string;
}

interface Tick {
  readonly tick: number;
  readonly late: number;
  readonly took: number;
  readonly awake: number;
  /** ms since the epoch, as all processes of a machine count them. */
  readonly due: number;
}

export interface ServerFigures {
  readonly what: 'figures';
  readonly ticks: readonly Tick[];
  /** ms; `busy` is a share. */
  readonly loop: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly busy: number;
  };
}

export type ServerMessage =
  | {
      readonly what: 'ready';
      readonly port: number;
      readonly engine: string;
      readonly device: string;
    }
  | ServerFigures;

/** How often the event loop is looked at, ms: what comes on top is delay. */
const RESOLUTION = 1;

const start = JSON.parse(process.argv[2]) as ServerStart;
const { organisms, tickRate, side, checkpoint, engine } = start;
const { width, height } = gridFor(organisms, side);
const settings = {
  port: 0,
  host: '127.0.0.1',
  rooms: 'garden',
  size: `${width}x${height}`,
  capacity: 5_000,
  'max-organisms': organisms,
  'tick-rate': tickRate,
  checkpoint,
  data: 'none',
  attract: 'off',
  // All must be kept awake, which takes more strokes than visitors have energy for.
  energy: 'off',
  limits: UNLIMITED,
  ...(engine && { engine }),
};
const config = readConfig(
  Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, `${value}`]),
  {},
);
if (config === 'help') throw new Error('no help wanted');

let ticks: Tick[] = [];
const vivarium = await createVivariumServer({
  config,
  clientFolder: '.',
  onTick: ({ late, took }) => {
    const room = vivarium.world.rooms.get('garden')!;
    const due = performance.timeOrigin + performance.now() - took - late;
    ticks.push({ tick: room.tick, late, took, awake: room.awake, due });
  },
  onFatal: (error) => {
    throw error;
  },
});

const loop = monitorEventLoopDelay({ resolution: RESOLUTION });
let busySince = performance.eventLoopUtilization();
process.on('message', (word) => {
  if (word === 'begin') {
    ticks = [];
    loop.enable();
    busySince = performance.eventLoopUtilization();
    return;
  }
  loop.disable();
  const ms = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION);
  process.send!({
    what: 'figures',
    ticks,
    loop: {
      p50: ms(loop.percentile(50)),
      p99: ms(loop.percentile(99)),
      max: ms(loop.max),
      busy: performance.eventLoopUtilization(busySince).utilization,
    },
  } satisfies ServerMessage);
});
const { name, device } = vivarium.engine;
const { port } = vivarium;
process.send!({ what: 'ready', port, engine: name, device } satisfies ServerMessage);
