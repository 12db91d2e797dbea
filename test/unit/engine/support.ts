/** What tests of engines share: small models, patches of them, and how results are compared. */
import { createHash } from 'node:crypto';
import type { PatchStore } from '../../../server/engine/backend.ts';
import {
  EngineError,
  type EngineInfo,
  type EngineReason,
  type NewPatch,
  type PatchStep,
} from '../../../server/engine/engine.ts';
import { inOrder, type ThreadEngine } from '../../../server/engine/thread/protocol.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../shared/random.ts';
import { calmUpdate, genomeUpdate, tinyModel } from '../vnca/tiny-model.ts';

/** Grows by doubling, 2 → 16, with RGBA read-outs. */
export const plain = tinyModel();
/** Of a cell of each of these models. */
export const CHANNELS = plain.card.channels;

/** States grow until float32 cannot hold them, though 16 bits can hold the weights. */
const calm = tinyModel({
  name: 'runaway',
  update: { kind: 'simple', hidden: 8, activation: 'relu' },
});
const runaway: Model = {
  card: calm.card,
  tensors: new Map(
    [...calm.tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: name === 'update.out.kernel' ? data.map((x) => x * 100_000) : data },
    ]),
  ),
};

/** The models that a contract's engine must have loaded. */
export const CONTRACT_MODELS: readonly Model[] = [
  plain,
  tinyModel(
    {
      name: 'standing',
      update: { kind: 'residual', hidden: 7, standingInput: true, updateProbability: 0.75 },
    },
    2,
  ),
  tinyModel({ name: 'genome', update: { ...genomeUpdate(7), leak: 0.2, stateLimit: 2 } }, 5),
  tinyModel(
    {
      name: 'calm',
      latentSize: 9,
      update: { ...calmUpdate(7), activation: 'relu', stateLimit: 2 },
    },
    6,
  ),
  tinyModel({ name: 'chance', update: { kind: 'simple', hidden: 8, updateProbability: 0.5 } }, 3),
  tinyModel(
    { name: 'uniform', update: { kind: 'res4', hidden: 5 }, growth: { kind: 'uniform', steps: 9 } },
    4,
  ),
  runaway,
];

export const latentOf = (seed: number): Float32Array => createRandom(seed).latent(CHANNELS);

/** A seed for a model whose latents are as long as a cell. */
export function seed(patch: number, checkpoint = 'tiny', latent = latentOf(patch)): NewPatch {
  return { patch, checkpoint, latent };
}

/** A seed for a model, with a latent of its own. */
export const seedOf = ({ card }: Model, patch: number): NewPatch => ({
  ...{ patch, checkpoint: card.name },
  latent: createRandom(patch).latent(card.latentSize),
});

/** Fingerprint of a state's bits: Jest compares long arrays slowly, and prints them at length. */
export function bitsOf(state: Float32Array): string {
  const bytes = new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

export const still = (patch: number): PatchStep => ({ patch, divide: false });

export async function expectError(call: Promise<unknown>, reason: EngineReason): Promise<void> {
  const error = await call.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ reason });
}

/** A thread's engine over a store in this thread, which answers in order too. */
export function threadOver(store: PatchStore, info: EngineInfo): ThreadEngine {
  let closed: Promise<void> | undefined;
  return { ...inOrder(store), info, close: () => (closed ??= store.close()) };
}
