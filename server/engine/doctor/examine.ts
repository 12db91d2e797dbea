/**
 * Examines which engines work on this machine, which one 'auto' selects, and how to get a better
 * one.
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { askChild } from '../../platform/ask-child.ts';
import { loadModel } from '../../vnca/checkpoint.ts';
import { BACKEND_NAMES, type BackendName } from '../backend.ts';
import { autoOrder, CANDIDATES, explain, withRemedy } from '../backends.ts';
import { findGpus } from '../hardware.ts';
import type { ProbeResult, ProbeTask } from './probe.ts';
import { RATE_PATCHES } from './rate.ts';

/** What was found out about an engine. */
export interface EngineReport {
  readonly name: BackendName;
  readonly usable: boolean;
  /** The device it runs on; null: it does not run. */
  readonly device: string | null;
  readonly needs: string;
  /** Why it does not run, or why its speed is not known. */
  readonly reason: string | null;
  /** What a host can do about it. */
  readonly remedy: string | null;
  /** Cells stepped per second, `RATE_PATCHES` patches at a time; null: not measured. */
  readonly cellsPerSecond: number | null;
}

/** The doctor's report, also printed as JSON. */
export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Vendors; empty: none found, or this system cannot be asked. */
    readonly gpus: readonly string[];
    readonly system: string;
    readonly node: string;
  };
  /** What the speed was measured with; null: it cannot be loaded. */
  readonly checkpoint: {
    readonly folder: string;
    readonly net: string;
    readonly side: number;
  } | null;
  readonly patches: number;
  readonly engines: readonly EngineReport[];
  readonly auto: {
    /** null: none works. */
    readonly name: string | null;
    readonly device: string | null;
    readonly why: string;
    /** Preferred engines that were skipped, a sentence each. */
    readonly passed: readonly string[];
  };
  /** How a host can get a better engine on this machine, a sentence each. */
  readonly better: readonly string[];
}

/** Options of `examine`. */
export interface Examination {
  /** Folder of the checkpoint to measure with. */
  readonly checkpoint: string;
  /** How long to measure each engine. */
  readonly seconds: number;
  /** Called with a line per engine. */
  readonly progress?: (line: string) => void;
}

/** Timeout for a library that hangs, ms. */
const TIMEOUT = 120_000;

/** Examines the machine. Missing or broken engines are reported, not thrown. */
export async function examine({ checkpoint, seconds, progress }: Examination): Promise<Report> {
  const model = await loadModel(checkpoint).then(
    ({ card }) => ({ folder: checkpoint, net: card.name, side: card.side }),
    () => null,
  );
  const engines: EngineReport[] = [];
  for (const name of BACKEND_NAMES) {
    progress?.(`trying ${name} …`);
    const task = { backend: name, seconds, ...(model && { checkpoint }) };
    engines.push(toReport(name, await probe(task)));
  }
  progress?.('asking auto …');
  // With the net, as the server does: an engine that cannot load it is skipped.
  const task = { backend: 'auto', seconds: 0, ...(model && { checkpoint }) } as const;
  const { info, skipped: passed, failure } = await probe(task);
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() || process.arch,
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      gpus: findGpus(),
      system: `${process.platform} ${process.arch}`,
      node: process.versions.node,
    },
    checkpoint: model,
    patches: RATE_PATCHES,
    engines,
    auto: {
      name: info?.name ?? null,
      device: info?.device ?? null,
      why: info
        ? `the first that works here of: ${autoOrder().join(', ')}`
        : (failure ?? 'none works here'),
      passed: passed.map(explain),
    },
    better: withRemedy(passed).map(explain),
  };
}

function toReport(
  name: BackendName,
  { info, skipped: passed, cellsPerSecond, failure }: ProbeResult,
): EngineReport {
  const own = passed.find((choice) => choice.name === name);
  return {
    name,
    usable: info !== undefined,
    device: info?.device ?? null,
    needs: CANDIDATES[name].needs,
    reason: own?.reason ?? failure ?? null,
    remedy: info ? null : (own?.remedy ?? CANDIDATES[name].remedy),
    cellsPerSecond: cellsPerSecond ?? null,
  };
}

const probe = (task: ProbeTask): Promise<ProbeResult> =>
  askChild<ProbeResult>(new URL('./probe.ts', import.meta.url), [JSON.stringify(task)], {
    patience: TIMEOUT,
  }).catch(({ message }: Error) => ({ skipped: [], failure: message }));
