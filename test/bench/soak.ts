/**
 * Whether a server that runs for long stays as it is: fifty bots do in an hour more than ten days'
 * worth of what visitors do, on a whole server that keeps everything, at a third more ticks a
 * second. Server and bots are processes of their own.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../server/vnca/checkpoint.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { Child } from '../load/child.ts';
import { rounded, spreadOf } from '../load/figures.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { gridFor } from './grid.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';
import type { ServerHello, ServerQuestion, ServerState, ServerStretch } from './server-process.ts';
import type { BotCounts, BotsPlan } from './soak-bots.ts';

/**
 * Commands that a room accepts on a normal day of an exhibition: 1,200 visitors, of whom each
 * plants, crosses and wounds a dozen times in all; over eight hours that is one every two seconds.
 */
const NORMAL_DAY = 14_400;
/** So many of them in an hour. */
const DAYS = 10;
/**
 * Slower machines than most must have time left in each, or nothing but that is seen in how late
 * they are.
 */
const TICK_RATE = Math.round((4 / 3) * DEFAULTS.room.tickRate);
const MB = 1e6;
/** Of organisms; each two bots share one. */
const COLUMNS = 8;
/** Bytes that the journal may take for a command. */
const ENTRY = 500;
const MINUTE = 60_000;

/** @throws CheckpointError; Error: a process has ended */
export async function benchSoak(
  log: Log,
  {
    checkpoint = CHECKPOINT_FOLDER,
    engine: wanted,
    seconds = 3_600,
    visitors: bots = 50,
  }: BenchOptions = {},
) {
  const { side } = (await loadModel(checkpoint)).card;
  const spots = Math.ceil(bots / 2);
  const { width, height } = gridFor(spots, side, COLUMNS);
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-soak-'));
  const server = start<ServerQuestion>('./server-process.ts', {
    ...{ data: join(scratch, 'data'), checkpoint, 'tick-rate': TICK_RATE },
    // As many as have ground of their own: else some settle between, and the end is another room
    // than the beginning.
    ...{ size: `${width}x${height}`, 'max-organisms': spots },
    ...(wanted && { engine: wanted }),
  });
  let crowd: Child<'counts', never> | undefined;
  try {
    const { port, engine, device } = await server.ask<ServerHello>('hello');
    log(`${engine} on ${device}; ${bots} bots for ${seconds} s at ${TICK_RATE} ticks/s`);
    const plan: BotsPlan = { port, bots, plots: { side, columns: COLUMNS } };
    const counting = start<'counts'>('./soak-bots.ts', plan);
    crowd = counting;
    const ask = () => counting.ask<BotCounts>('counts');
    const look = () => server.ask<ServerState>('state');
    // They are there.
    await ask();
    const begun = performance.now();
    let minutes = 0;
    /** Until that share of the time; each minute a line. */
    const until = async (share: number): Promise<void> => {
      for (;;) {
        const now = performance.now() - begun;
        const end = share * seconds * 1000;
        if (now >= end) return;
        const next = MINUTE * (minutes + 1);
        await new Promise((wake) => setTimeout(wake, Math.min(end, next) - now));
        if (performance.now() - begun < next) continue;
        minutes++;
        log(`  ${minutes} min: ${lineOf(await look(), await ask())}`);
      }
    };
    const stretchUntil = async (share: number): Promise<TickSpread> => {
      await server.ask('begin');
      await until(share);
      return spreadsOf(await server.ask<ServerStretch>('end'));
    };
    await until(0.1);
    const begin = await look();
    const first = await stretchUntil(0.2);
    await until(0.5);
    const [middle, half] = [await look(), await ask()];
    await until(0.9);
    const last = await stretchUntil(1);
    const [end, counts] = [await look(), await ask()];
    const { accepted, refused, joins, lost } = counts;
    /** After a tenth of the time, after a half, and at the end. */
    const states = { begin, middle, end };
    /** The first tenth after `begin`, and the last. */
    const ticks = { first, last };
    /** Of an hour at this rate, by those of a normal day. */
    const normalDays = rounded((accepted / seconds) * (3_600 / NORMAL_DAY));
    const since = total(counts) - total(half);
    const bounds = { ...boundsOf(states, since, ticks), commands: normalDays >= DAYS };
    const figures = {
      ...{ machine: describeMachine(), engine, device, seconds, bots, tickRate: TICK_RATE },
      commands: { accepted, refused, normalDays },
      ...{ joins, lost, states, ticks },
      /** p99 of the last by that of the first. */
      lateRatio: rounded(last.late.p99 / Math.max(0.001, first.late.p99)),
      /** What stayed within its bound, by name. */
      bounds,
      met: Object.values(bounds).every((kept) => kept),
    };
    for (const line of linesOf(figures)) log(line);
    return figures;
  } finally {
    await crowd?.stop();
    await server.stop();
    rmSync(scratch, { recursive: true });
  }
}

const start = <Question>(file: string, plan: object): Child<Question, never> =>
  Child.start(new URL(file, import.meta.url), plan);

type SoakFigures = Awaited<ReturnType<typeof benchSoak>>;

/** How ticks went in a stretch. */
type TickSpread = ReturnType<typeof spreadsOf>;

function spreadsOf({ ticks, load }: ServerStretch) {
  return {
    ticks: ticks.length,
    late: spreadOf(ticks.map(({ late }) => late)),
    took: spreadOf(ticks.map(({ took }) => took)),
    load: rounded(load),
  };
}

const total = ({ accepted, refused }: BotCounts): number =>
  accepted + Object.values(refused).reduce((sum, n) => sum + n, 0);

/**
 * What "bounded" means here. Heap and memory may breathe, but not grow with what was done; files
 * may be opened for a moment. The store may take what a room may, and in the second half of the
 * time, when there are as many snapshots as there will be, grow by no more than a tenth and what
 * the journal takes. Ticks begin as late as before, within a tenth or a millisecond, which is as
 * fine as timers are.
 *
 * @param commands that came in the second half
 */
function boundsOf(
  { begin, middle, end }: Readonly<Record<'begin' | 'middle' | 'end', ServerState>>,
  commands: number,
  { first, last }: Readonly<Record<'first' | 'last', TickSpread>>,
) {
  return {
    heap: end.heap <= 1.1 * begin.heap + 8 * MB,
    memory: end.memory <= 1.25 * begin.memory + 32 * MB,
    files: (end.files ?? 0) <= (begin.files ?? 0) + 4,
    store:
      end.store <= DEFAULTS.store.maxBytes && end.store <= 1.1 * middle.store + ENTRY * commands,
    late: last.late.p99 <= Math.max(1.1 * first.late.p99, first.late.p99 + 1),
    kept: end.keeping,
  };
}

const inMb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;

function lineOf(state: ServerState, counts: BotCounts): string {
  const { heap, memory, files, store, snapshots, organisms, awake, tick } = state;
  return (
    `tick ${tick}, ${counts.accepted} accepted, ${total(counts) - counts.accepted} refused; ${organisms} organisms, ${awake} awake; ` +
    `heap ${inMb(heap)}, memory ${inMb(memory)}, ${files} files, store ${inMb(store)} with ${snapshots} snapshots`
  );
}

function linesOf(figures: SoakFigures): string[] {
  const { commands, joins, lost, states, ticks, lateRatio, bounds, met, machine } = figures;
  const { accepted, refused, normalDays } = commands;
  const { begin, middle, end } = states;
  const row = (name: string, of: (state: ServerState) => string): string =>
    `  ${name.padEnd(12)}${[begin, middle, end].map((state) => of(state).padStart(12)).join('')}`;
  const stretch = (name: string, { ticks: count, late, took, load }: TickSpread): string =>
    `  ${name} tenth: ${count} ticks, late by ${late.p50} ms p50, ${late.p99} ms p99; they take ${took.p50} and ${took.p99} ms; load ${load}`;
  const over = Object.entries(bounds).filter(([, kept]) => !kept);
  return [
    `  ${accepted} commands accepted, refused: ${JSON.stringify(refused)}; an hour of it is ${normalDays} normal days of ${NORMAL_DAY}`,
    `  ${joins} came, ${lost} connections were lost`,
    `  ${''.padEnd(12)}${['begin', 'middle', 'end'].map((x) => x.padStart(12)).join('')}`,
    row('heap', ({ heap }) => inMb(heap)),
    row('memory', ({ memory }) => inMb(memory)),
    row('files', ({ files }) => `${files}`),
    row('store', ({ store }) => inMb(store)),
    row('snapshots', ({ snapshots }) => `${snapshots}`),
    stretch('first', ticks.first),
    stretch('last', ticks.last),
    `  p99 of lateness, last by first: ${lateRatio}; ${machine.cores} cores`,
    `  goal (all bounded): ${met ? 'met' : `missed: ${over.map(([name]) => name).join(', ')}`}`,
  ];
}
