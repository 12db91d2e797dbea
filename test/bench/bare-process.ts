/**
 * A process that steps a backend without the engine around it, and multiplies matrices with the
 * backend's runtime.
 */
import type { BackendName, Batch, RuleBackend, StepRule } from '../../server/engine/backend.ts';
import { selectBackend, threadsFor } from '../../server/engine/choose-backend.ts';
import { stateLayout } from '../../server/engine/core/batch-stepper.ts';
import { loadModel } from '../../server/vnca/checkpoint.ts';
import { drawUpdateMask, randomOfState } from '../../server/vnca/scalar-rule.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { latentOf } from './nets.ts';
import { createProduct, type Product } from './product.ts';

/** The process's one argument, in JSON. */
export interface BareStart {
  readonly name: BackendName;
  /** The checkpoint's. */
  readonly folder: string;
}

export type BareQuestion =
  /** Processes that are to step side by side, as the engine's threads do. */
  | { readonly what: 'lanes' }
  /** Grown states [side, side, C], which patches begin as copies of, over and over. */
  | { readonly what: 'stock'; readonly states: readonly Float32Array[] }
  | { readonly what: 'product'; readonly times: number }
  | {
      readonly what: 'step';
      readonly from: number;
      readonly patches: number;
      readonly times: number;
    };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const { name, folder } = startArgument<BareStart>();
const { backend } = await selectBackend(name);
const model = await loadModel(folder);
const { channels, side } = model.card;
const layout = stateLayout(channels, 'load' in backend && backend.planar);
// One that owns its states has no step without them.
const stepper = 'load' in backend ? { backend, rule: await backend.load(model) } : undefined;
let product: Product | undefined;
let checkpoints: Float32Array[] = [];

answerParent(answer);

/** @returns ms, where something was timed; how many, where that was asked */
async function answer(question: BareQuestion): Promise<number | null> {
  switch (question.what) {
    case 'lanes':
      return threadsFor(backend.info.name as BackendName);
    case 'stock':
      checkpoints = question.states.map((state) => layout.import(state));
      return null;
    case 'product':
      product ??= await createProduct(name);
      return (await time(product.run, question.times)) / product.products;
    case 'step': {
      if (!stepper) return null;
      const batches = batchesOf(stepper, question.from, question.patches);
      const stepAll = async (): Promise<void> => {
        for (const batch of batches) {
          await stepper.rule.step(batch);
          [batch.states, batch.after] = [batch.after, batch.states];
        }
      };
      await stepAll();
      return time(stepAll, question.times);
    }
  }
}

async function time(work: () => Promise<void>, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (performance.now() - start) / times;
}

/** As the engine would batch so many grown patches, `first` and those after it. */
function batchesOf(
  { backend: { batchPatches, maxBatchCells }, rule }: { backend: RuleBackend; rule: StepRule },
  first: number,
  patches: number,
): Mutable<Batch>[] {
  const size = side ** 2 * channels;
  const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / side ** 2));
  const batches: Mutable<Batch>[] = [];
  for (let from = first; from < first + patches; from += most) {
    const many = Math.min(most, first + patches - from);
    const count = batchPatches ?? many;
    const states = new Float32Array(count * size);
    const own = Array.from({ length: many }, (_, i) => rule.condition?.(ownLatent(from + i)));
    for (let i = 0; i < many; i++)
      states.set(checkpoints[(from + i) % checkpoints.length], i * size);
    const conditioning = own[0] && new Float32Array(count * own[0].length);
    own.forEach((row, i) => {
      conditioning?.set(row!, i * row!.length);
    });
    const batch = { count, stage: side, states, after: new Float32Array(count * size) };
    const mask = chance(count, states);
    batches.push({ ...batch, ...(conditioning && { conditioning }), ...(mask && { mask }) });
  }
  return batches;
}

/** Patches that began as copies of one state also have its genome. */
const ownLatent = (i: number): Float32Array => latentOf(model, i % checkpoints.length);

function chance(count: number, states: Float32Array): Float32Array | undefined {
  const { updateProbability } = model.card.update;
  if (updateProbability >= 1) return undefined;
  const mask = new Float32Array(count * side ** 2);
  drawUpdateMask(mask, updateProbability, randomOfState(states));
  return mask;
}
