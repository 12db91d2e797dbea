/**
 * What it costs a room to be kept: three servers with the same garden and the same commands, by
 * turns in one process. One keeps nothing; one keeps all, as it is set; one takes snapshots far
 * more often than that.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mean, median, quantile, rounded, spreadOf } from '../load/figures.ts';
import { GARDEN } from '../load/garden.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { Arm, type Slice } from './durability-arm.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

type ArmName = 'off' | 'on' | 'often';

const GOAL = 0.05;
/** Longest slice, s. */
const SLICE = 4;
/**
 * Seconds between snapshots of a busy room, where they are to come often; a calm one waits six
 * times as long.
 */
const OFTEN = 0.5;
const NAMES = ['off', 'on', 'often'] as const;

/** @throws CheckpointError, EngineError, StoreError */
export async function benchDurability(
  log: Log,
  {
    checkpoint = CHECKPOINT_FOLDER,
    engine,
    seconds = 600,
    organisms = GARDEN.organisms,
  }: BenchOptions = {},
) {
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-durability-'));
  const arms: Arm[] = [];
  try {
    for (const name of NAMES) {
      const data = name === 'off' ? 'none' : join(scratch, name);
      const snapshot = name === 'often' ? { snapshot: OFTEN } : {};
      arms.push(await Arm.open({ ...{ data, checkpoint, engine, organisms }, ...snapshot }));
    }
    const { name, device } = arms[0].server.engine;
    log(`${name} on ${device}; all have grown; measuring for ${seconds} s`);
    for (const arm of arms) {
      await arm.run(GARDEN.tickRate);
      arm.reset();
    }

    // There and back, so that what changes with time is the same for all.
    const rounds = 2 * Math.max(1, Math.round(seconds / SLICE / NAMES.length / 2));
    const ticks = Math.max(1, Math.round((seconds / rounds / NAMES.length) * GARDEN.tickRate));
    const slices = arms.map((): Slice[] => []);
    for (let round = 0; round < rounds; round++) {
      const order = NAMES.map((_, i) => (round % 2 === 0 ? i : NAMES.length - 1 - i));
      for (const i of order) slices[i].push(await arms[i].run(ticks));
    }
    const [off, on, often] = arms.map((arm, i) => ({
      /** Seconds between snapshots of a busy room; none where nothing is kept. */
      snapshot: [undefined, 10, OFTEN][i],
      ...summary(slices[i]),
      snapshots: arm.snapshots.size,
      /** Transactions of ticks, and how long they took, ms. */
      commits: { count: arm.commits.length, ...spreadOf(arm.commits) },
      overhead: overheadOf(slices[i], slices[0]),
    }));
    const same = new Set(arms.map(({ planes }) => planes)).size === 1;
    const { overhead } = on;
    const isSure = overhead.error <= GOAL / 2;
    const isLittle = overhead.mean <= GOAL && overhead.median <= GOAL;
    const figures = {
      ...{ machine: describeMachine(), engine: name, device, seconds, ticks: rounds * ticks },
      arms: { off, on, often },
      /** At the end all show the same: what was compared was the same work. */
      same,
      /**
       * Goals: of `on`, mean and median at most 5 % over `off`, with a standard error of half of
       * that at most; snapshots were among it; all show the same.
       */
      met: isLittle && isSure && same && on.snapshots > 0,
    };
    for (const line of linesOf(figures)) log(line);
    if (!isSure)
      log('  the machine was too busy for a result; measure longer, or while nothing else runs');
    return figures;
  } finally {
    for (const arm of arms) await arm.close();
    rmSync(scratch, { recursive: true });
  }
}

/**
 * ms a tick: of all of it, of the main thread (`busy`), and of all threads' processor time (`cpu`).
 */
function summary(slices: readonly Slice[]) {
  const took = slices.flatMap((slice) => slice.took);
  return {
    mean: rounded(mean(took)),
    median: rounded(median(took)),
    p99: rounded(quantile(took, 0.99)),
    busy: rounded(mean(slices.map(({ busy }) => busy))),
    cpu: rounded(mean(slices.map(({ cpu }) => cpu))),
  };
}

/**
 * @returns shares of `off` that come on top; `error` is the standard error of the mean's, over the
 * rounds
 */
function overheadOf(slices: readonly Slice[], off: readonly Slice[]) {
  const took = (some: readonly Slice[]): number[] => some.flatMap((slice) => slice.took);
  const over = (ours: number, theirs: number): number => rounded(ours / theirs - 1);
  // Slices of one round stand side by side, and the machine was much the same for both.
  const each = slices.map((slice, i) => mean(slice.took) / mean(off[i].took) - 1);
  const spread = each.map((one) => (one - mean(each)) ** 2);
  return {
    mean: over(mean(took(slices)), mean(took(off))),
    error: rounded(Math.sqrt(mean(spread) / Math.max(1, each.length - 1))),
    median: over(median(took(slices)), median(took(off))),
    busy: over(mean(slices.map(({ busy }) => busy)), mean(off.map(({ busy }) => busy))),
    cpu: over(mean(slices.map(({ cpu }) => cpu)), mean(off.map(({ cpu }) => cpu))),
  };
}

type DurabilityFigures = Awaited<ReturnType<typeof benchDurability>>;

function linesOf({ arms, ticks, same, met, machine }: DurabilityFigures): string[] {
  const percent = (share: number): string => `${rounded(100 * share)} %`;
  const heads = ['mean', 'median', 'p99', 'main', 'all cpu', 'over off', '±', 'median', 'main'];
  const row = (name: ArmName): string => {
    const { mean: middle, median: half, p99, busy, cpu, overhead } = arms[name];
    const ms = [middle, half, p99, busy, cpu].map((x) => `${x}`);
    const over = [overhead.mean, overhead.error, overhead.median, overhead.busy].map(percent);
    return `  ${name.padEnd(8)}${[...ms, ...(name === 'off' ? [] : over)].map((x) => x.padStart(9)).join('')}`;
  };
  const kept = (name: ArmName): string => {
    const { snapshot, snapshots, commits } = arms[name];
    return (
      `  ${name}: ${snapshots} snapshots (every ${snapshot} s when busy, six times that when calm), ` +
      `${commits.count} commits of ${commits.p50} ms p50, ${commits.p99} ms p99`
    );
  };
  return [
    `  ${'ms/tick'.padEnd(8)}${heads.map((x) => x.padStart(9)).join('')}`,
    ...NAMES.map(row),
    kept('on'),
    kept('often'),
    `  ${ticks} ticks each; at the end they are ${same ? 'the same' : 'NOT the same'}; ` +
      `load ${rounded(machine.load)} on ${machine.cores} cores`,
    `  goal (kept as it is set, at most ${percent(GOAL)} over, mean and median, with snapshots): ${met ? 'met' : 'missed'}`,
  ];
}
