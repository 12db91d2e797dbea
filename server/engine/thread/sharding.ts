/**
 * One engine over several threads, each with its own store. Every patch is in one of them; before a
 * step with uneven load, some patches move. A patch steps identically in any thread, so callers see
 * no difference.
 */
import { Mutex } from '../../platform/mutex.ts';
import type { Card } from '../../vnca/card.ts';
import { firstStage } from '../../vnca/growth.ts';
import { checkLatent, checkState, checkSteps, stageAfter } from '../core/checks.ts';
import { type Engine, EngineError, type PatchId, type PatchStep } from '../engine.ts';
import type { ThreadEngine } from './worker-engine.ts';

/** What this side knows of a patch. */
interface Placement {
  readonly species: { readonly card: Card };
  thread: number;
  stage: number;
}

/** Patches that may move before one step: each costs a copy of its state. */
const MAX_MOVES = 8;

/** Combines threads to one engine. @param threads which have loaded the same checkpoints */
export function shardAcross(threads: readonly ThreadEngine[], cards: readonly Card[]): Engine {
  const placements = new Map<PatchId, Placement>();
  const mutex = new Mutex();
  let closing: Promise<void> | undefined;
  /** Runs calls in order: each starts when the one before has ended. */
  const inOrder = <T>(call: () => Promise<T>): Promise<T> => {
    if (closing) return Promise.reject(new EngineError('closed'));
    return mutex.runExclusive(call);
  };

  const find = (patch: PatchId): Placement => {
    const placement = placements.get(patch);
    if (!placement) throw new EngineError('unknown-patch', String(patch));
    return placement;
  };
  /** Passes each thread its own items and returns the results in the order of the items. */
  const distribute = async <I, R>(
    items: readonly I[],
    threadOf: (item: I) => number,
    call: (thread: ThreadEngine, own: readonly I[]) => Promise<R[]>,
  ): Promise<R[]> => {
    const parts = threads.map((): number[] => []);
    items.forEach((item, i) => {
      parts[threadOf(item)].push(i);
    });
    const results = new Array<R>(items.length);
    const calls = threads.map(async (thread, t) => {
      if (parts[t].length === 0) return;
      const own = await call(
        thread,
        parts[t].map((i) => items[i]),
      );
      own.forEach((result, k) => {
        results[parts[t][k]] = result;
      });
    });
    const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
    return results;
  };

  const move = async (patch: PatchId, to: number): Promise<void> => {
    const placement = find(patch);
    await threads[to].put(await threads[placement.thread].take([patch]));
    placement.thread = to;
  };

  /** Moves patches until the threads' load of a step is as even as possible. */
  const balance = async (steps: readonly PatchStep[]): Promise<void> => {
    const load = threads.map(() => 0);
    const work = steps.map((step) => {
      const placement = find(step.patch);
      const cells = stageAfter(placement, step) ** 2;
      load[placement.thread] += cells;
      return { patch: step.patch, placement, cells };
    });
    for (let moves = 0; moves < MAX_MOVES; moves++) {
      const from = load.indexOf(Math.max(...load));
      const to = load.indexOf(Math.min(...load));
      const gap = load[from] - load[to];
      // Moving more than half of the difference would only reverse it.
      const fitting = work.filter(
        ({ placement, cells }) => placement.thread === from && 2 * cells <= gap,
      );
      if (fitting.length === 0) return;
      const { patch, cells } = fitting.reduce((a, b) => (b.cells > a.cells ? b : a));
      await move(patch, to);
      load[from] -= cells;
      load[to] += cells;
    }
  };

  return {
    info: threads[0].info,
    plant: (patches) =>
      inOrder(async () => {
        const planted = new Map<PatchId, Placement>();
        const counts = threads.map(() => 0);
        for (const { thread } of placements.values()) counts[thread]++;
        for (const { patch, checkpoint, latent } of patches) {
          const card = cards.find(({ name }) => name === checkpoint);
          if (!card) throw new EngineError('unknown-checkpoint', checkpoint);
          if (placements.has(patch) || planted.has(patch)) {
            throw new EngineError('duplicate-patch', String(patch));
          }
          checkLatent(patch, latent, card);
          const thread = counts.indexOf(Math.min(...counts));
          counts[thread]++;
          planted.set(patch, { species: { card }, thread, stage: firstStage(card) });
        }
        for (const [patch, placement] of planted) placements.set(patch, placement);
        await distribute(
          patches,
          ({ patch }) => find(patch).thread,
          async (thread, own) => {
            await thread.plant(own);
            return [];
          },
        );
      }),
    step: (steps) =>
      inOrder(async () => {
        checkSteps(steps.map((step) => ({ patch: find(step.patch), step })));
        await balance(steps);
        for (const step of steps) {
          const placement = find(step.patch);
          placement.stage = stageAfter(placement, step);
        }
        return distribute(
          steps,
          ({ patch }) => find(patch).thread,
          (thread, own) => thread.step(own),
        );
      }),
    exportStates: (patches) =>
      inOrder(async () =>
        distribute(
          patches,
          (patch) => find(patch).thread,
          (thread, own) => thread.exportStates(own),
        ),
      ),
    importStates: (states) =>
      inOrder(async () => {
        const stages = states.map(({ patch, state }) =>
          checkState(patch, state, find(patch).species.card),
        );
        states.forEach(({ patch }, i) => {
          find(patch).stage = stages[i];
        });
        await distribute(
          states,
          ({ patch }) => find(patch).thread,
          async (thread, own) => {
            await thread.importStates(own);
            return [];
          },
        );
      }),
    dispose: (patches) =>
      inOrder(async () => {
        const known = [...new Set(patches)].filter((patch) => placements.has(patch));
        await distribute(
          known,
          (patch) => find(patch).thread,
          async (thread, own) => {
            await thread.dispose(own);
            return [];
          },
        );
        for (const patch of known) placements.delete(patch);
      }),
    close: () =>
      (closing ??= mutex.runExclusive(async () => {
        await Promise.all(threads.map((thread) => thread.close()));
      })),
  };
}
