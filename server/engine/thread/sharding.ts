/**
 * One engine of several threads, each with a store of its own. Every patch lives in one of them; where the work of a step is
 * uneven, patches move over first. A patch steps alike wherever it lives, so nobody outside can tell.
 */
import { Mutex } from '../../platform/mutex.ts';
import type { Card } from '../../vnca/card.ts';
import { firstStage } from '../../vnca/growth.ts';
import { checkLatent, checkState, checkSteps, stageAfter } from '../core/checks.ts';
import { type Engine, EngineError, type PatchId, type PatchStep } from '../engine.ts';
import type { ThreadEngine } from './worker-engine.ts';

/** What is known of a patch on this side. */
interface Place {
  readonly species: { readonly card: Card };
  thread: number;
  stage: number;
}

/** Patches that may move before one step: each costs a copy of its state. */
const MOST_MOVES = 8;

/** @param threads that have loaded the same checkpoints */
export function shardAcross(threads: readonly ThreadEngine[], cards: readonly Card[]): Engine {
  const places = new Map<PatchId, Place>();
  const mutex = new Mutex();
  let closing: Promise<void> | undefined;
  /** Calls take effect in their order: each begins when the one before has ended. */
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    if (closing) return Promise.reject(new EngineError('closed'));
    return mutex.runExclusive(call);
  };

  const find = (patch: PatchId): Place => {
    const place = places.get(patch);
    if (!place) throw new EngineError('unknown-patch', String(patch));
    return place;
  };
  /** Hands each thread its own part of some items, and puts the results into the items' order. */
  const shared = async <I, R>(
    items: readonly I[],
    threadOf: (item: I) => number,
    ask: (thread: ThreadEngine, own: readonly I[]) => Promise<R[]>,
  ): Promise<R[]> => {
    const parts = threads.map((): number[] => []);
    items.forEach((item, i) => {
      parts[threadOf(item)].push(i);
    });
    const results = new Array<R>(items.length);
    const asked = threads.map(async (thread, t) => {
      if (parts[t].length === 0) return;
      const own = await ask(
        thread,
        parts[t].map((i) => items[i]),
      );
      own.forEach((result, k) => {
        results[parts[t][k]] = result;
      });
    });
    const failed = (await Promise.allSettled(asked)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
    return results;
  };

  const move = async (patch: PatchId, to: number): Promise<void> => {
    const place = find(patch);
    await threads[to].put(await threads[place.thread].take([patch]));
    place.thread = to;
  };

  /** Evens out what threads have to do in a step. */
  const balance = async (steps: readonly PatchStep[]): Promise<void> => {
    const load = threads.map(() => 0);
    const work = steps.map((step) => {
      const place = find(step.patch);
      const cells = stageAfter(place, step) ** 2;
      load[place.thread] += cells;
      return { patch: step.patch, place, cells };
    });
    for (let moves = 0; moves < MOST_MOVES; moves++) {
      const from = load.indexOf(Math.max(...load));
      const to = load.indexOf(Math.min(...load));
      const gap = load[from] - load[to];
      // Moving more than half of the difference would only turn it round.
      const fitting = work.filter(({ place, cells }) => place.thread === from && 2 * cells <= gap);
      if (fitting.length === 0) return;
      const { patch, cells } = fitting.reduce((a, b) => (b.cells > a.cells ? b : a));
      await move(patch, to);
      load[from] -= cells;
      load[to] += cells;
    }
  };

  return {
    info: threads[0].info,
    plant: (news) =>
      inTurn(async () => {
        const planted = new Map<PatchId, Place>();
        const counts = threads.map(() => 0);
        for (const { thread } of places.values()) counts[thread]++;
        for (const { patch, checkpoint, latent } of news) {
          const card = cards.find(({ name }) => name === checkpoint);
          if (!card) throw new EngineError('unknown-checkpoint', checkpoint);
          if (places.has(patch) || planted.has(patch)) {
            throw new EngineError('duplicate-patch', String(patch));
          }
          checkLatent(patch, latent, card);
          const thread = counts.indexOf(Math.min(...counts));
          counts[thread]++;
          planted.set(patch, { species: { card }, thread, stage: firstStage(card) });
        }
        for (const [patch, place] of planted) places.set(patch, place);
        await shared(
          news,
          ({ patch }) => find(patch).thread,
          async (thread, own) => {
            await thread.plant(own);
            return [];
          },
        );
      }),
    step: (steps) =>
      inTurn(async () => {
        checkSteps(steps.map((step) => ({ patch: find(step.patch), step })));
        await balance(steps);
        for (const step of steps) {
          const place = find(step.patch);
          place.stage = stageAfter(place, step);
        }
        return shared(
          steps,
          ({ patch }) => find(patch).thread,
          (thread, own) => thread.step(own),
        );
      }),
    exportStates: (patches) =>
      inTurn(async () =>
        shared(
          patches,
          (patch) => find(patch).thread,
          (thread, own) => thread.exportStates(own),
        ),
      ),
    importStates: (states) =>
      inTurn(async () => {
        const stages = states.map(({ patch, state }) =>
          checkState(patch, state, find(patch).species.card),
        );
        states.forEach(({ patch }, i) => {
          find(patch).stage = stages[i];
        });
        await shared(
          states,
          ({ patch }) => find(patch).thread,
          async (thread, own) => {
            await thread.importStates(own);
            return [];
          },
        );
      }),
    dispose: (patches) =>
      inTurn(async () => {
        const known = [...new Set(patches)].filter((patch) => places.has(patch));
        await shared(
          known,
          (patch) => find(patch).thread,
          async (thread, own) => {
            await thread.dispose(own);
            return [];
          },
        );
        for (const patch of known) places.delete(patch);
      }),
    close: () =>
      (closing ??= mutex.runExclusive(async () => {
        await Promise.all(threads.map((thread) => thread.close()));
      })),
  };
}
