/**
 * Tries one engine in a process of its own, so that a broken native library crashes only that
 * process.
 */
import { loadModel } from '../../vnca/checkpoint.ts';
import type { BackendName } from '../backend.ts';
import type { SkippedEngine } from '../backends.ts';
import { createEngine } from '../create-engine.ts';
import type { EngineInfo } from '../engine.ts';
import { measureRate } from './rate.ts';

/** The task, passed as JSON in the process's only argument. */
export interface ProbeTask {
  readonly backend: BackendName | 'auto';
  /** Checkpoint whose net is measured; absent: nothing is measured. */
  readonly checkpoint?: string;
  /** How long to measure; 0: not at all. */
  readonly seconds: number;
}

/** The result, sent as the process's only message. */
export interface ProbeResult {
  /** Absent if the engine does not work here. */
  readonly info?: EngineInfo;
  /** The engines that were skipped; for a single engine that does not work, itself. */
  readonly skipped: readonly SkippedEngine[];
  readonly cellsPerSecond?: number;
  /** Why it does not work or was not measured, if `skipped` does not tell. */
  readonly failure?: string;
}

const task = JSON.parse(process.argv[2]) as ProbeTask;
process.send!(await probe(task), () => process.exit(0));

async function probe({ backend, checkpoint, seconds }: ProbeTask): Promise<ProbeResult> {
  let passed: readonly SkippedEngine[] = [];
  let info: EngineInfo | undefined;
  try {
    const model = checkpoint === undefined ? undefined : await loadModel(checkpoint);
    const engine = await createEngine({
      checkpoints: model ? [model] : [],
      backend,
      onSkipped: (better) => {
        passed = better;
      },
    });
    info = engine.info;
    if (!model || seconds === 0) return { info, skipped: passed };
    return { info, skipped: passed, cellsPerSecond: await measureRate(engine, model, seconds) };
  } catch (error) {
    const failure = (error as Error).message.trim().split('\n')[0];
    return { ...(info && { info }), skipped: passed, failure };
  }
}
