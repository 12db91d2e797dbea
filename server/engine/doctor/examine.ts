/**
 * `npm run doctor`: examines which backends of the engine work on this machine, which backend
 * 'auto' selects, and how a host can make a faster backend work. In this file, as in texts for
 * hosts, a backend is called an engine.
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { askChild } from '../../platform/worker-rpc.ts';
import { seedState } from '../../vnca/architecture.ts';
import { loadModel, type Model } from '../../vnca/checkpoint.ts';
import { BACKEND_NAMES, type BackendName } from '../backend.ts';
import {
  autoOrder,
  CANDIDATES,
  explain,
  findGpus,
  type SkippedEngine,
  withRemedy,
} from '../choose-backend.ts';
import type { Engine, EngineInfo } from '../engine.ts';

/**
 * Task for the child process `try-engine.ts`, which tries one engine. Passed as JSON in the only
 * argument.
 */
export interface TrialTask {
  readonly backend: BackendName | 'auto';
  /** Folder of the checkpoint used to measure speed. If absent, speed is not measured. */
  readonly checkpoint?: string;
  /** Duration of the speed measurement, in seconds; 0 means no measurement. */
  readonly seconds: number;
}

/** Result that the child process sends to its parent after trying an engine. */
export interface TrialResult {
  /** The engine that started; absent if none has started. */
  readonly info?: EngineInfo;
  /** Engines that were skipped because they do not work on this machine. */
  readonly skipped: readonly SkippedEngine[];
  readonly cellsPerSecond?: number;
  /** Error message, if no engine started or the measurement failed. */
  readonly failure?: string;
}

/** Number of patches that are stepped together in a measurement. */
const RATE_PATCHES = 16;
const PATCHES = Array.from({ length: RATE_PATCHES }, (_, patch) => patch);

/**
 * Measures how fast an engine steps and reads out `RATE_PATCHES` fully grown patches.
 *
 * @param seconds minimum duration of the measurement
 * @returns number of cells stepped per second
 */
export async function measureRate(engine: Engine, { card }: Model, seconds: number) {
  const { name, side, channels, latentSize } = card;
  const latent = new Float32Array(latentSize).fill(0.5);
  await engine.plant(PATCHES.map((patch) => ({ patch, checkpoint: name, latent })));
  // Import full-size states, because growing the patches is slow on some engines. The cost of a
  // step does not depend on the states.
  const state = seedState(latent, side, channels);
  await engine.importStates(PATCHES.map((patch) => ({ patch, state })));
  const steps = PATCHES.map((patch) => ({ patch, divide: false }));
  await engine.step(steps);
  let count = 0;
  const start = performance.now();
  let taken = 0;
  while (taken < seconds * 1000) {
    await engine.step(steps);
    count++;
    taken = performance.now() - start;
  }
  return Math.round((count * RATE_PATCHES * side ** 2 * 1000) / taken);
}

/** Maximum time for trying one engine, in ms. A broken native library may never return. */
const TIMEOUT = 120_000;

export type Report = Awaited<ReturnType<typeof examine>>;

export type EngineReport = Report['engines'][number];

/**
 * Examines which engines work on this machine and how fast they are. A missing or broken engine is
 * part of the report, not an error.
 *
 * @param checkpoint folder of the checkpoint used to measure speed
 * @param seconds duration of each engine's measurement
 * @param progress called with a line of text before each part of the examination
 */
export async function examine(
  checkpoint: string,
  seconds: number,
  progress: (line: string) => void,
) {
  let unreadable: string | null = null;
  const model = await loadModel(checkpoint).then(
    ({ card }) => ({ folder: checkpoint, net: card.name, side: card.side }),
    ({ message }: Error) => {
      unreadable = message;
      return null;
    },
  );
  const engines = [];
  for (const name of BACKEND_NAMES) {
    progress(`trying ${name} …`);
    const task = { backend: name, seconds, ...(model && { checkpoint }) };
    engines.push(reportOf(name, await tryEngine(task)));
  }
  progress('finding out which engine auto selects …');
  // Load the checkpoint as the server does, because 'auto' skips engines that cannot load it.
  const task = { backend: 'auto', seconds: 0, ...(model && { checkpoint }) } as const;
  const { info, skipped: passed, failure } = await tryEngine(task);
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() || process.arch,
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      /** Vendors of the machine's GPUs. Empty if there are none, or if they cannot be listed. */
      gpus: findGpus(),
      system: `${process.platform} ${process.arch}`,
      node: process.versions.node,
    },
    /** The checkpoint used to measure speed; null if it cannot be loaded. */
    checkpoint: model,
    /** Why the checkpoint cannot be loaded; null if it can be. */
    unreadable: unreadable as string | null,
    patches: RATE_PATCHES,
    engines,
    auto: {
      /** Name of the engine that 'auto' selects; null if no engine works. */
      name: info?.name ?? null,
      device: info?.device ?? null,
      why: info
        ? `the first engine that works here, in the order ${autoOrder().join(', ')}`
        : (failure ?? 'no engine works here'),
      /** Why 'auto' skipped the engines that it prefers, one sentence per engine. */
      passed: passed.map(explain),
    },
    /** How a host can get a better engine on this machine, one sentence per engine. */
    better: withRemedy(passed).map(explain),
  };
}

function reportOf(name: BackendName, tried: TrialResult) {
  const { info, skipped, cellsPerSecond, failure } = tried;
  const own = skipped.find((choice) => choice.name === name);
  return {
    name,
    usable: info !== undefined,
    /** The engine's device; null if the engine does not run. */
    device: info?.device ?? null,
    needs: CANDIDATES[name].needs,
    /** Why the engine does not work, or why its measurement failed; null if nothing failed. */
    reason: own?.reason ?? failure ?? null,
    /** How a host can make the engine work; null if the engine works, or if no remedy is known. */
    remedy: info ? null : ((own ?? CANDIDATES[name]).remedy ?? null),
    /** Number of cells stepped per second; null if not measured. */
    cellsPerSecond: cellsPerSecond ?? null,
  };
}

const tryEngine = (task: TrialTask): Promise<TrialResult> =>
  askChild<TrialResult>(new URL('./try-engine.mjs', import.meta.url), [JSON.stringify(task)], {
    patience: TIMEOUT,
  }).catch(({ message }: Error) => ({ skipped: [], failure: message }));

export function reportText(report: Report): string {
  const { machine, checkpoint, unreadable, patches, engines, auto, better } = report;
  const gpus = machine.gpus.length > 0 ? `GPU: ${machine.gpus.join(', ')}` : 'no GPU found';
  const measured = checkpoint
    ? `Speed was measured with the checkpoint "${checkpoint.net}": ${patches} patches of ${checkpoint.side}×${checkpoint.side} cells, including the time to read their colours.`
    : `Speed was not measured, because the checkpoint cannot be loaded: ${unreadable}`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${gpus}; ${machine.system}, Node ${machine.node}`,
    '',
    ...engines.flatMap(engineLines),
    '',
    measured,
    '',
    auto.name
      ? `--engine auto selects ${auto.name} on ${auto.device}: ${auto.why}.`
      : `--engine auto finds no engine: ${auto.why}.`,
    ...auto.passed.map((line) => `  skipped: ${line}`),
    '',
    ...(better.length > 0
      ? ['To get a better engine:', ...better.map((line) => `  ${line}`)]
      : ['Installing software would not give this machine a better engine.']),
  ].join('\n');
}

function engineLines(engine: EngineReport): string[] {
  const { name, device, needs, reason, remedy, cellsPerSecond } = engine;
  const rate = cellsPerSecond === null ? '' : `${(cellsPerSecond / 1e6).toFixed(2)} M cells/s`;
  const first = device ? `${device.padEnd(36)} ${rate}` : 'does not run here';
  return [
    `${name.padEnd(12)}${first}`.trimEnd(),
    ...(reason ? [`            ${reason}`] : []),
    `            needs ${needs}`,
    ...(remedy ? [`            to make it work: ${remedy}`] : []),
  ];
}
