/** Tries one engine, in a process of its own: what a broken native library does to a process ends this one alone. */
import { loadModel } from '../../vnca/checkpoint.ts';
import type { BackendName } from '../backend.ts';
import type { SkippedEngine } from '../backends.ts';
import { createEngine } from '../create-engine.ts';
import type { EngineInfo } from '../engine.ts';
import { measureRate } from './rate.ts';

/** What is asked, as this process's one argument in JSON. */
export interface ProbeTask {
  readonly backend: BackendName | 'auto';
  /** Whose net its speed is measured with; absent: nothing is measured. */
  readonly checkpoint?: string;
  /** To measure for; 0: not. */
  readonly seconds: number;
}

/** What was found, this process's one message. */
export interface ProbeResult {
  /** Absent: it does not work here. */
  readonly info?: EngineInfo;
  /** What came before it and was not taken; of an engine that does not work, that is itself. */
  readonly skipped: readonly SkippedEngine[];
  readonly cellsPerSecond?: number;
  /** Why it does not work, or why its speed is not known, where `passed` does not say it. */
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
