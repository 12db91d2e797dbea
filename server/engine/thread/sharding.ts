/**
 * Combines several threads into one engine. Each patch is in one thread. Before a step, patches may
 * move to other threads, so that all threads have about the same work. Moves do not change results.
 */
import { Mutex } from '../../platform/queues.ts';
import type { Card } from '../../vnca/card.ts';
import { type Entry, PatchTable, stageAfter } from '../core/patch-table.ts';
import { type Engine, EngineError, type PatchId } from '../engine.ts';
import type { ThreadEngine } from './protocol.ts';

/** Where a patch is (index of its thread), and its present side in cells (`stage`). */
interface Placement {
  readonly species: { readonly card: Card };
  thread: number;
  stage: number;
}

/** Methods whose argument is a list with one item per patch. */
type ListMethod = 'plant' | 'step' | 'exportStates' | 'importStates' | 'dispose';
type Item = PatchId | { readonly patch: PatchId };

interface Submitted<T> {
  readonly answer: Promise<T>;
}

/**
 * Maximum number of patches that are moved in one step, because the state of each moved patch must
 * be copied.
 */
const MAX_MOVES = 8;

/** Combines threads, which must have loaded the same checkpoints, into one engine. */
export function shardAcross(threads: readonly ThreadEngine[], cards: readonly Card[]): Engine {
  const placements = new PatchTable<Placement>(new Map(cards.map((card) => [card.name, { card }])));
  const mutex = new Mutex();
  let closing: Promise<void> | undefined;
  /** Resolves when all calls made so far have been answered or have failed. */
  let answered: Promise<unknown> = Promise.resolve();
  /**
   * Makes a call that involves several threads. Calls are submitted in order and answered in order,
   * but submitting a call does not wait for earlier answers.
   *
   * @param submit submits the call. If `submit` returns a promise, the next call is submitted only
   *   after this promise has settled
   */
  const inOrder = async <T>(submit: () => Submitted<T> | Promise<Submitted<T>>): Promise<T> => {
    if (closing) throw new EngineError('closed');
    const before = answered;
    const answer = mutex.runExclusive(submit).then((call) => call.answer);
    // Discard the results. Otherwise, each would contain the one before it, and all would stay in
    // memory.
    answered = Promise.allSettled([before, answer]).then(() => {});
    await before;
    return answer;
  };

  /**
   * Divides a call among the threads that hold the patches of `items`. The answer contains the
   * results in the order of `items`.
   */
  const distribute = <M extends ListMethod>(
    method: M,
    items: Parameters<Engine[M]>[0] & readonly Item[],
  ): Submitted<Awaited<ReturnType<Engine[M]>>> => {
    const submit = async () => {
      const parts = threads.map((): number[] => []);
      items.forEach((item, i) => {
        parts[placements.require(typeof item === 'number' ? item : item.patch).thread].push(i);
      });
      const results = new Array<unknown>(items.length);
      const calls = threads.map(async (thread, t) => {
        if (parts[t].length === 0) return;
        const own = await thread[method](parts[t].map((i) => items[i]) as never);
        own?.forEach((result, k) => {
          results[parts[t][k]] = result;
        });
      });
      await allSettled(calls);
      return results as never;
    };
    const answer = submit();
    // Prevents an unhandled rejection until the answer is awaited.
    answer.catch(() => {});
    return { answer };
  };

  /**
   * Chooses patches to move before a step, so that all threads step about the same number of cells.
   */
  const movesFor = (entries: readonly Entry<Placement>[]) => {
    // If the threads use different engines, move no patches: the layouts of states differ.
    if (new Set(threads.map(({ info }) => info.name)).size > 1) return [];
    const load = threads.map(() => 0);
    const work = entries.map(({ patch: placement, step }) => {
      const cells = stageAfter(placement, step) ** 2;
      load[placement.thread] += cells;
      return { placement, patch: step.patch, cells, to: placement.thread };
    });
    for (let i = 0; i < MAX_MOVES; i++) {
      const from = load.indexOf(Math.max(...load));
      const to = load.indexOf(Math.min(...load));
      const gap = load[from] - load[to];
      // Move a patch with at most half of the difference in work. Otherwise, the receiving thread
      // would get more work than the sending thread.
      const fitting = work.filter((one) => one.to === from && 2 * one.cells <= gap);
      if (fitting.length === 0) break;
      const one = fitting.reduce((a, b) => (b.cells > a.cells ? b : a));
      one.to = to;
      load[from] -= one.cells;
      load[to] += one.cells;
    }
    return work.filter(({ placement, to }) => placement.thread !== to);
  };

  return {
    info: threads[0].info,
    plant: (patches) =>
      inOrder(() => {
        const counts = threads.map(() => 0);
        for (const { thread } of placements.values()) counts[thread]++;
        for (const { one, species, stage } of placements.checkNew(patches)) {
          const thread = counts.indexOf(Math.min(...counts));
          counts[thread]++;
          placements.set(one.patch, { species, thread, stage });
        }
        return distribute('plant', patches);
      }),
    step: (steps) =>
      inOrder(async () => {
        const entries = placements.entriesOf(steps);
        const moves = movesFor(entries).map(async ({ placement, patch, to }) => {
          const taken = await threads[placement.thread].take([patch]);
          placement.thread = to;
          // Ignore a failure of `put`: the step that follows fails, too, and reports the cause.
          threads[to].put(taken).catch(() => {});
        });
        await allSettled(moves);
        for (const { patch, step } of entries) patch.stage = stageAfter(patch, step);
        return distribute('step', steps);
      }),
    exportStates: (patches) => inOrder(() => distribute('exportStates', patches)),
    importStates: (states) =>
      inOrder(() => {
        for (const { patch, stage } of placements.importsOf(states)) patch.stage = stage;
        return distribute('importStates', states);
      }),
    dispose: (patches) =>
      inOrder(() => {
        const known = [...new Set(patches)].filter((patch) => placements.has(patch));
        const answer = distribute('dispose', known);
        for (const patch of known) placements.delete(patch);
        return answer;
      }),
    close: () =>
      (closing ??= mutex.runExclusive(async () => {
        await Promise.all(threads.map((thread) => thread.close()));
      })),
  };
}

/**
 * Waits until all promises have settled, even if some of them fail.
 *
 * @throws the error of the first promise in the list that failed
 */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
