/**
 * `npm run doctor` examines which engines work on this machine, which of them 'auto' selects, and
 * what a host can do to get a better one.
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
 * The task of a child process (`try-engine.ts`), which tries one engine. Passed to the process as
 * JSON, in its only argument.
 */
export interface TrialTask {
  readonly backend: BackendName | 'auto';
  /**
   * Folder of the checkpoint whose update net is used to measure the engine's speed. If absent,
   * speed is not measured.
   */
  readonly checkpoint?: string;
  /** How long to measure speed, in seconds. If 0, speed is not measured. */
  readonly seconds: number;
}

/**
 * The result of a child process that has tried an engine. It is the only message that the process
 * sends to its parent.
 */
export interface TrialResult {
  /** The engine that was started; absent if no engine could be started. */
  readonly info?: EngineInfo;
  /**
   * The engines that do not work and were therefore skipped. If the task was to try one particular
   * engine and that engine does not work, it is the only one in the list.
   */
  readonly skipped: readonly SkippedEngine[];
  readonly cellsPerSecond?: number;
  /**
   * Error message, if the engine does not work or its speed could not be measured. Absent if the
   * reason is in `skipped`.
   */
  readonly failure?: string;
}

/** Number of patches that are stepped together when speed is measured. */
const RATE_PATCHES = 16;
const PATCHES = Array.from({ length: RATE_PATCHES }, (_, patch) => patch);

/**
 * Measures how fast an engine steps `RATE_PATCHES` fully grown patches.
 *
 * @param seconds minimum duration of the measurement, in seconds. One step is made before the
 * measurement begins
 * @returns number of cells stepped per second. The measured time includes read-outs
 */
export async function measureRate(engine: Engine, { card }: Model, seconds: number) {
  const { name, side, channels, latentSize } = card;
  const latent = new Float32Array(latentSize).fill(0.5);
  await engine.plant(PATCHES.map((patch) => ({ patch, checkpoint: name, latent })));
  // Import full-size states instead of growing the patches, because growing is slow on some
  // engines. Any states will do: the cost of a step does not depend on them.
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

/** Maximum time to wait for an engine's child process, in ms. A broken library may never return. */
const TIMEOUT = 120_000;

/** The report of `npm run doctor`, which can be printed as text or JSON. */
export type Report = Awaited<ReturnType<typeof examine>>;

export type EngineReport = Report['engines'][number];

/**
 * Examines which engines work on this machine and how fast they are. If an engine is missing or
 * broken, the report says so, and no error is thrown.
 *
 * @param checkpoint folder of the checkpoint whose update net is used to measure speed
 * @param seconds how long to measure the speed of each engine, in seconds
 * @param progress called before each engine is tried, with one line of text to show
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
  progress('asking auto …');
  // Load the checkpoint's update net, although no speed is measured: 'auto' skips an engine that
  // cannot load the net. The server loads the net, too, so it will select the same engine.
  const task = { backend: 'auto', seconds: 0, ...(model && { checkpoint }) } as const;
  const { info, skipped: passed, failure } = await tryEngine(task);
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() || process.arch,
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      /**
       * Vendors of the machine's GPUs. Empty if there are none, or if GPUs cannot be listed on this
       * operating system.
       */
      gpus: findGpus(),
      system: `${process.platform} ${process.arch}`,
      node: process.versions.node,
    },
    /** The model whose update net was used to measure speed; null if it cannot be loaded. */
    checkpoint: model,
    /** Why the checkpoint cannot be loaded; null if it was loaded. */
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
      /**
       * The engines that 'auto' prefers but had to skip, with the reasons; one sentence per engine.
       */
      passed: passed.map(explain),
    },
    /** How a host can get a better engine on this machine, one sentence each. */
    better: withRemedy(passed).map(explain),
  };
}

function reportOf(name: BackendName, tried: TrialResult) {
  const { info, skipped, cellsPerSecond, failure } = tried;
  const own = skipped.find((choice) => choice.name === name);
  return {
    name,
    usable: info !== undefined,
    /** The device that the engine runs on; null if the engine does not run. */
    device: info?.device ?? null,
    needs: CANDIDATES[name].needs,
    /**
     * Why the engine does not work, or why its speed was not measured. Null if it works and was
     * measured.
     */
    reason: own?.reason ?? failure ?? null,
    /**
     * What a host can do to make the engine work. Null if the engine works, or if no remedy is
     * known.
     */
    remedy: info ? null : ((own ?? CANDIDATES[name]).remedy ?? null),
    /**
     * Number of cells that the engine steps per second when it steps `RATE_PATCHES` patches
     * together; null if not measured.
     */
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
    ? `Speed was measured with ${patches} patches of ${checkpoint.side}×${checkpoint.side} cells and the net of ${checkpoint.net}, including read-outs.`
    : `Speed was not measured: ${unreadable}`;
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
    ...auto.passed.map((line) => `  passed over: ${line}`),
    '',
    ...(better.length > 0
      ? ['To make a better engine work:', ...better.map((line) => `  ${line}`)]
      : ['No software that you can install would give this machine a better engine.']),
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
