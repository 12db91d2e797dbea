/**
 * Combines several threads, each with its own patch store, into one engine. Every patch is in
 * exactly one thread. If a step would load the threads unevenly, some patches move to another
 * thread. A patch steps identically in any thread, so callers see no difference.
 */
import { Mutex } from '../../platform/queues.ts';
import type { Card } from '../../vnca/card.ts';
import { type Entry, PatchTable, stageAfter } from '../core/patch-table.ts';
import { type Engine, EngineError, type PatchId } from '../engine.ts';
import type { ThreadEngine } from './protocol.ts';

/** The index of the thread that holds a patch, and the patch's side in cells (`stage`). */
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
 * Maximum number of patches that move to another thread in one step. Limited because each move
 * copies the patch's state.
 */
const MAX_MOVES = 8;

/**
 * Combines threads into one engine. @param threads threads that have loaded the same checkpoints
 */
export function shardAcross(threads: readonly ThreadEngine[], cards: readonly Card[]): Engine {
  const placements = new PatchTable<Placement>(new Map(cards.map((card) => [card.name, { card }])));
  const mutex = new Mutex();
  let closing: Promise<void> | undefined;
  /** Resolves when all calls made so far have been answered, successfully or not. */
  let answered: Promise<unknown> = Promise.resolve();
  /**
   * Submits calls in order and answers them in order. Each thread executes its calls in order, so a
   * call is submitted without waiting for the answers to earlier calls.
   *
   * @param submit submits the call to the threads. Resolves when the next call may be submitted,
   * often before the answer arrives
   */
  const inOrder = async <T>(submit: () => Submitted<T> | Promise<Submitted<T>>): Promise<T> => {
    if (closing) throw new EngineError('closed');
    const before = answered;
    const answer = mutex.runExclusive(submit).then((call) => call.answer);
    // Drop the results. Otherwise, each promise would keep the results of all earlier calls in
    // memory.
    answered = Promise.allSettled([before, answer]).then(() => {});
    await before;
    return answer;
  };

  /**
   * Sends each thread the items for the patches that it holds. The answer contains the results, if
   * the method has any, in the order of `items`.
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
   * Chooses the patches that must move to another thread, so that a step loads all threads as
   * evenly as possible.
   */
  const movesFor = (entries: readonly Entry<Placement>[]) => {
    // If a thread has fallen back to another engine, its states have another layout, so patches
    // cannot move between the threads.
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
      // Moving more than half of the gap would give the receiving thread more work than the sending
      // thread.
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
          // Ignore a failure here, because the step that follows fails with the same cause.
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
 * Waits until all promises have settled.
 *
 * @throws the error of the first failed promise in the list
 */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
