/**
 * A whole server at its work: organisms that are kept awake by wounds, visitors who watch. Server
 * and visitors are processes of their own, so that what one of them computes does not hold up the
 * other, but for the cores that they share.
 */

import { loadModel } from '../../server/vnca/checkpoint.ts';
import { Child } from '../load/child.ts';
import { mean, rounded, type Spread, spreadOf } from '../load/figures.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import type { Arrival, VisitorsPlan, VisitorsQuestion } from './crowd-visitors.ts';
import { gridFor } from './grid.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';
import type { ServerHello, ServerQuestion, ServerStretch } from './server-process.ts';

const TICK_RATE = 15;
/**
 * All were planted at once, and are told to the last bit at once when they have grown: that is over
 * before it is measured, ms.
 */
const SETTLED = 3_000;
/** ms */
const GOAL = 10;

/** @throws CheckpointError; Error: a process has ended, and why */
export async function benchCrowd(
  log: Log,
  {
    checkpoint = CHECKPOINT_FOLDER,
    engine: wanted,
    seconds = 30,
    organisms = 128,
    visitors = 50,
  }: BenchOptions = {},
) {
  const { side } = (await loadModel(checkpoint)).card;
  const { width, height } = gridFor(organisms, side);
  const server = start<ServerQuestion>('./server-process.ts', {
    ...{ size: `${width}x${height}`, checkpoint, 'tick-rate': TICK_RATE },
    ...{ 'max-organisms': organisms, ...(wanted && { engine: wanted }) },
  });
  let crowd: Child<VisitorsQuestion, never> | undefined;
  try {
    const { port, engine, device } = await server.ask<ServerHello>('hello');
    log(`${engine} on ${device}; ${organisms} organisms, ${visitors} visitors`);
    const plan: VisitorsPlan = { port, organisms, side, visitors };
    crowd = start<VisitorsQuestion>('./crowd-visitors.ts', plan);
    await crowd.ask('ready');
    await pause(SETTLED);
    log(`all are grown; measuring for ${seconds} s`);
    await Promise.all([server.ask('begin'), crowd.ask('begin')]);
    await pause(seconds * 1000);
    const [measured, arrivals] = await Promise.all([
      server.ask<ServerStretch>('end'),
      crowd.ask<Arrival[]>('arrivals'),
    ]);
    const settings = { engine, device, organisms, visitors, seconds, tickRate: TICK_RATE };
    const figures = { machine: describeMachine(), ...settings, ...figuresOf(measured, arrivals) };
    for (const line of linesOf(figures)) log(line);
    return figures;
  } finally {
    await crowd?.stop();
    await server.stop();
  }
}

const start = <Question>(file: string, plan: object): Child<Question, never> =>
  Child.start(new URL(file, import.meta.url), plan);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function figuresOf({ ticks, loop, busy }: ServerStretch, arrivals: readonly Arrival[]) {
  const due = new Map(ticks.map((tick) => [tick.tick, tick.due]));
  const latencies = arrivals.flatMap(({ tick, at }) => {
    const since = due.get(tick);
    return since === undefined ? [] : [at - since];
  });
  const awake = ticks.map((tick) => tick.awake);
  const late = spreadOf(ticks.map((tick) => tick.late));
  const span = ticks.length > 0 ? ticks.at(-1)!.due - ticks[0].due : 0;
  const loopDelay = { p50: rounded(loop.p50), p99: rounded(loop.p99), max: rounded(loop.max) };
  return {
    ticks: ticks.length,
    /** Ticks that should have been, and were left out. */
    missed: Math.max(0, Math.round((span * TICK_RATE) / 1000) + 1 - ticks.length),
    /** Organisms that were stepped in a tick. */
    awake: {
      mean: awake.length > 0 ? rounded(mean(awake)) : 0,
      least: Math.min(...awake),
    },
    /** How long after it was due a tick began, ms. */
    late,
    /** From its beginning until all was published, the wait for the engine included, ms. */
    took: spreadOf(ticks.map((tick) => tick.took)),
    /** By how much the server's event loop was held up, ms. */
    loopDelay,
    /** Share of the time in which the server's main thread was at work. */
    loopBusy: rounded(busy),
    /** From when a tick was due until a visitor had decoded it, ms. */
    latency: spreadOf(latencies),
    frames: arrivals.length,
    /** Goals: `late` and `loopDelay` of at most 10 ms at the 99th percentile. */
    met: late.p99 <= GOAL && loopDelay.p99 <= GOAL,
  };
}

function linesOf(figures: ReturnType<typeof figuresOf> & { machine: Machine }): string[] {
  const row = (name: string, { p50, p99, max }: Spread): string =>
    `  ${name.padEnd(28)}${[p50, p99, max].map((x) => `${x}`.padStart(8)).join('')}`;
  const { ticks, missed, awake, machine, met } = figures;
  return [
    `  ${'ms'.padEnd(28)}${['p50', 'p99', 'max'].map((x) => x.padStart(8)).join('')}`,
    row('a tick begins late by', figures.late),
    row('and takes', figures.took),
    row('the event loop is held up by', figures.loopDelay),
    row('a visitor sees a tick after', figures.latency),
    `  ${ticks} ticks, ${missed} missed; ${awake.mean} awake in the mean, ${awake.least} at least; ` +
      `main thread ${Math.round(figures.loopBusy * 100)} % busy; load ${rounded(machine.load)} on ${machine.cores} cores`,
    `  goal (late and held up by at most ${GOAL} ms, p99): ${met ? 'met' : 'missed'}`,
  ];
}
