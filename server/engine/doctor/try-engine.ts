/**
 * Tries one engine in a child process. If a native library is broken, only this process crashes.
 */
import { loadModel } from '../../vnca/checkpoint.ts';
import type { SkippedEngine } from '../choose-backend.ts';
import { createEngine } from '../create-engine.ts';
import type { EngineInfo } from '../engine.ts';
import { measureRate, type TrialResult, type TrialTask } from './examine.ts';

const task = JSON.parse(process.argv[2]) as TrialTask;
process.send!(await tryEngine(task), () => process.exit(0));

async function tryEngine({ backend, checkpoint, seconds }: TrialTask): Promise<TrialResult> {
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
