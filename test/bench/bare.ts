/** A backend without an engine around it, stepped and timed. */
import { Child } from '../load/child.ts';
import type { BareQuestion, BareStart } from './bare-process.ts';

export interface Bare {
  /** ms of a big product on all cores, the mean of so many; null: the runtime cannot be asked. */
  timeProduct(times: number): Promise<number>;
  /**
   * ms of a step of so many patches, the mean of so many; null: the backend has no step without its
   * states.
   */
  timeStep(patches: number, times: number): Promise<number | null>;
  close(): Promise<void>;
}

/**
 * Starts a backend in processes of its own, because TensorFlow.js has one backend a thread, and
 * memory is to be the engine's alone in ours.
 *
 * @param checkpoints grown states [side, side, C], which patches begin as copies of, over and over
 * @throws Error the backend does not start, or a process ended
 */
export async function startBare(
  start: BareStart,
  checkpoints: readonly Float32Array[],
): Promise<Bare> {
  const startProcess = () =>
    Child.start<BareQuestion, never>(new URL('./bare-process.ts', import.meta.url), start);
  const first = startProcess();
  const count = await first.ask<number>({ what: 'lanes' });
  const lanes = [first, ...Array.from({ length: count - 1 }, startProcess)];
  for (const lane of lanes) await lane.ask({ what: 'stock', states: checkpoints });
  return {
    timeProduct: (times) => first.ask<number>({ what: 'product', times }),
    async timeStep(patches, times) {
      const share = patches / lanes.length;
      const taken = lanes.map(async (lane, i) => {
        const [from, to] = [i, i + 1].map((at) => Math.round(at * share));
        if (from === to) return 0;
        return lane.ask<number | null>({ what: 'step', from, patches: to - from, times });
      });
      const ms = await Promise.all(taken);
      return ms.includes(null) ? null : Math.max(...(ms as number[]));
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}
