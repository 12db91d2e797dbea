/** The process of the server in `crowd.ts`: as `npm start` puts it together, with a watch on its ticks and its event loop. */
import { performance } from 'node:perf_hooks';
import { answerParent } from '../load/child.ts';
import { ProcessUsage, sharedNow } from '../load/measure.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { gridFor } from './grid.ts';

/** The process's one argument, in JSON. */
export interface ServerPlan {
  readonly organisms: number;
  readonly tickRate: number;
  /** Side of a grown organism. */
  readonly side: number;
  readonly checkpoint: string;
  readonly engine?: string;
}

export type ServerQuestion = 'hello' | 'begin' | 'end';

export interface ServerHello {
  readonly port: number;
  readonly engine: string;
  readonly device: string;
}

interface Tick {
  readonly tick: number;
  readonly late: number;
  readonly took: number;
  readonly awake: number;
  /** ms of `sharedNow`. */
  readonly due: number;
}

export interface ServerFigures {
  readonly ticks: readonly Tick[];
  /** ms; `busy` is a share. */
  readonly loop: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly busy: number;
  };
}

const plan = JSON.parse(process.argv[2]) as ServerPlan;
const { organisms, tickRate, side, checkpoint, engine } = plan;
const { width, height } = gridFor(organisms, side);
let ticks: Tick[] = [];
const vivarium = await startServer(
  {
    size: `${width}x${height}`,
    capacity: 5_000,
    'max-organisms': organisms,
    'tick-rate': tickRate,
    checkpoint,
    // All must be kept awake, which takes more strokes than visitors have energy for.
    energy: 'off',
    limits: UNLIMITED,
    ...(engine && { engine }),
  },
  {
    onTick: ({ late, took }) => {
      const room = vivarium.world.rooms.get('garden')!;
      const due = sharedNow() - took - late;
      ticks.push({ tick: room.tick, late, took, awake: room.awake, due });
    },
  },
);
/** Looks at the event loop each ms. */
const usage = new ProcessUsage(1);
let busySince = performance.eventLoopUtilization();

answerParent((question: ServerQuestion): ServerHello | ServerFigures | undefined => {
  switch (question) {
    case 'hello': {
      const { name, device } = vivarium.engine;
      return { port: vivarium.port, engine: name, device };
    }
    case 'begin':
      ticks = [];
      usage.begin();
      busySince = performance.eventLoopUtilization();
      return undefined;
    case 'end': {
      const [p50, p99, max] = [0.5, 0.99, 1].map((share) => usage.loopDelay(share));
      const busy = performance.eventLoopUtilization(busySince).utilization;
      return { ticks, loop: { p50, p99, max, busy } };
    }
  }
});
