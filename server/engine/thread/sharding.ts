/**
 * Combines several threads, each with its own patch store, into one engine. Each patch is in one of
 * the threads. If a step would give some threads much more work than others, patches are moved
 * between threads. Callers do not notice this, because a patch's steps have the same results in
 * every thread.
 */
import { Mutex } from '../../platform/queues.ts';
import type { Card } from '../../vnca/card.ts';
import { type Entry, PatchTable, stageAfter } from '../core/patch-table.ts';
import { type Engine, EngineError, type PatchId } from '../engine.ts';
import type { ThreadEngine } from './protocol.ts';

/**
 * Where a patch is: the index of its thread. Also holds the patch's present side, in cells
 * (`stage`).
 */
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
 * Maximum number of patches that are moved to another thread in one step. There is a limit because
 * the state of each moved patch must be copied.
 */
const MAX_MOVES = 8;

/** Combines threads into one engine. @param threads must all have loaded the same checkpoints */
export function shardAcross(threads: readonly ThreadEngine[], cards: readonly Card[]): Engine {
  const placements = new PatchTable<Placement>(new Map(cards.map((card) => [card.name, { card }])));
  const mutex = new Mutex();
  let closing: Promise<void> | undefined;
  /** Resolves when all calls made so far have been answered, even if some of them have failed. */
  let answered: Promise<unknown> = Promise.resolve();
  /**
   * Makes a call that involves several threads. Calls are submitted in order and answered in order.
   * A call does not wait for the answers to earlier calls before it is submitted, because each
   * thread executes its calls in order anyway.
   *
   * @param submit submits the call to the threads. Its promise resolves when the next call may be
   * submitted, which is often before the call is answered
   */
  const inOrder = async <T>(submit: () => Submitted<T> | Promise<Submitted<T>>): Promise<T> => {
    if (closing) throw new EngineError('closed');
    const before = answered;
    const answer = mutex.runExclusive(submit).then((call) => call.answer);
    // Do not keep the results: each promise refers to the one before it, so the results of all
    // calls would stay in memory.
    answered = Promise.allSettled([before, answer]).then(() => {});
    await before;
    return answer;
  };

  /**
   * Calls a method of the threads, each with the items whose patches the thread holds. If the
   * method has results, the answer contains them in the order of `items`.
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
   * Chooses the patches to move to other threads before a step, so that all threads have about the
   * same number of cells to step.
   */
  const movesFor = (entries: readonly Entry<Placement>[]) => {
    // If one of the threads has fallen back to another engine, do not move patches: the threads
    // differ in their layout of states.
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
      // Move at most half of the gap. Otherwise, the receiving thread would have more work than the
      // sending thread.
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
 * Waits until all promises have settled. Unlike Promise.allSettled, throws if a promise fails.
 *
 * @throws the error of the first promise in the list that has failed
 */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
