/** A process that steps a backend without the engine around it, and multiplies matrices with the backend's runtime. */
import { type Batch, type RuleBackend, selectBackend } from '../../server/engine/backend.ts';
import { interleaved } from '../../server/engine/core/interleaved.ts';
import { planar } from '../../server/engine/core/planar.ts';
import { loadModel, type Model } from '../../server/vnca/checkpoint.ts';
import { drawUpdateMask, randomOfState } from '../../server/vnca/updateMask.ts';
import type { BareAnswer, BareQuestion, BareReady, BareStart } from './bareProcess.ts';
import { latentOf } from './nets.ts';
import { createProduct } from './product.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const { name, folder } = JSON.parse(process.argv[2]) as BareStart;
const { backend: chosen } = await selectBackend(name);
// One that owns its states has no step without them.
if (!('load' in chosen)) throw new Error(`${name} steps nothing on its own`);
const backend: RuleBackend = chosen;
const model = await loadModel(folder);
const rule = await backend.load(model);
const product = await createProduct(name);
const { channels, side } = model.card;
const layout = (backend.planar ? planar : interleaved)(channels);
let stock: Float32Array[] = [];

let last = Promise.resolve();
process.on('message', (question: BareQuestion) => {
  last = last.then(async () => {
    process.send!((await answer(question)) satisfies BareAnswer);
  });
});
process.send!({ lanes: backend.lanes } satisfies BareReady);

async function answer(question: BareQuestion): Promise<BareAnswer> {
  switch (question.what) {
    case 'stock':
      stock = question.states.map((state) => layout.import(state));
      return { ms: null };
    case 'product':
      return { ms: product ? await time(product, question.times) : null };
    case 'step': {
      const batches = batchesOf(backend, model, question.patches);
      const stepAll = async (): Promise<void> => {
        for (const batch of batches) {
          await rule.step(batch);
          [batch.states, batch.after] = [batch.after, batch.states];
        }
      };
      await stepAll();
      return { ms: await time(stepAll, question.times) };
    }
    case 'after': {
      const batches = batchesOf(backend, model, question.patches);
      for (const batch of batches) await rule.step(batch);
      const size = side ** 2 * channels;
      const states = batches.flatMap(({ after, count }) =>
        Array.from({ length: count }, (_, i) => after.subarray(i * size, (i + 1) * size)),
      );
      return { ms: null, states: states.slice(0, question.patches).map(layout.export) };
    }
  }
}

async function time(work: () => Promise<void>, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (performance.now() - start) / times;
}

/** As the engine would batch so many grown patches. */
function batchesOf(
  { batchPatches, maxBatchCells }: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>,
  { card }: Model,
  patches: number,
): Mutable<Batch>[] {
  const size = side ** 2 * channels;
  const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / side ** 2));
  const batches: Mutable<Batch>[] = [];
  for (let from = 0; from < patches; from += most) {
    const many = Math.min(most, patches - from);
    const count = batchPatches ?? many;
    const states = new Float32Array(count * size);
    const own = Array.from({ length: many }, (_, i) => rule.express?.(ownLatent(from + i)));
    for (let i = 0; i < many; i++) states.set(stock[(from + i) % stock.length], i * size);
    const standing = own[0] && new Float32Array(count * own[0].length);
    own.forEach((row, i) => {
      standing?.set(row!, i * row!.length);
    });
    const batch = { count, stage: side, states, after: new Float32Array(count * size) };
    const mask = chance(card.update.updateProbability, count, states);
    batches.push({ ...batch, ...(standing && { standing }), ...(mask && { mask }) });
  }
  return batches;
}

/** Patches that began as copies of one state also have its genome. */
const ownLatent = (i: number): Float32Array => latentOf(model, i % stock.length);

function chance(
  probability: number,
  count: number,
  states: Float32Array,
): Float32Array | undefined {
  if (probability >= 1) return undefined;
  const mask = new Float32Array(count * side ** 2);
  drawUpdateMask(mask, 0, mask.length, probability, randomOfState(states));
  return mask;
}
