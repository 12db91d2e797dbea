/** Small made-up models: every architecture, in milliseconds on every backend. */
import { updateShapes } from '../../../server/vnca/architecture.ts';
import { type Card, parseCard } from '../../../server/vnca/card.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';

/** A valid card as stored in a file. */
export function tinyCardJson(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 1,
    name: 'tiny',
    title: 'Tiny',
    side: 16,
    channels: 6,
    latentSize: 6,
    growth: { kind: 'doubling', seedSide: 2, stepsPerStage: 2 },
    update: { kind: 'residual', hidden: 7, stateLimit: 4 },
    readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] },
    presence: { channel: 3, threshold: 0.1 },
    gallery: [
      { name: 'one', kind: 'animal' },
      { name: 'two', kind: 'thing' },
    ],
    data: { set: 'none', licence: 'none', source: 'none' },
    training: {},
    figures: {},
    ...fields,
  };
}

export function tinyCard(fields: Record<string, unknown> = {}): Card {
  return parseCard(tinyCardJson(fields), 'tiny/card.json');
}

/** An update net whose weights a genome net scales, and whose states leak. */
export const genomeUpdate = (hidden: number) => ({
  ...{ kind: 'residual', hidden, standingInput: true, leak: 0.1 },
  genome: { hidden: 4, expressed: 2 },
});

/** An update net whose genome net scales nothing but some units, and those a little. */
export const calmUpdate = (hidden: number) => ({
  ...{ kind: 'residual', hidden, standingInput: true, leak: 0.5 },
  genome: { hidden: 4, expressed: 4, scalesPerception: false, gain: 0.3 },
});

/** Update nets of every kind, by name. */
export const UPDATES: [string, Record<string, unknown>][] = [
  ['residual', { kind: 'residual', hidden: 7, stateLimit: 0.5 }],
  ['residual with a standing input', { kind: 'residual', hidden: 7, standingInput: true }],
  ['res4', { kind: 'res4', hidden: 5 }],
  [
    'res4 with a standing input and a limit',
    { kind: 'res4', hidden: 5, standingInput: true, stateLimit: 1 },
  ],
  ['residual with a genome net and a leak', genomeUpdate(7)],
  [
    'residual with a calm genome net, rectified, with a limit',
    { ...calmUpdate(7), activation: 'relu', stateLimit: 2 },
  ],
  ['simple', { kind: 'simple', hidden: 9 }],
  [
    'simple with a genome net',
    { kind: 'simple', hidden: 9, standingInput: true, genome: { hidden: 3 } },
  ],
  ['simple with a last bias', { kind: 'simple', hidden: 9, outBias: true }],
];

/** Random weights for a card, and a random gallery. */
export function modelOf(card: Card, seed = 1): Model {
  const random = createRandom(seed);
  const tensors = new Map<string, Float32Tensor>();
  const shapes = updateShapes(card).set('gallery.latents', [card.gallery.length, card.latentSize]);
  for (const [name, shape] of shapes) {
    const size = shape.reduce((a, b) => a * b, 1);
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    // A small last layer makes small steps, as a trained rule does.
    const scale = (name.startsWith('update.out') ? 0.1 : 1) / Math.sqrt(fanIn);
    const data = Float32Array.from({ length: size }, () => scale * random.normal());
    tensors.set(name, { shape, data });
  }
  return { card, tensors };
}

/** A model with tensors of these shapes added, of random numbers. */
export function withTensors(
  { card, tensors }: Model,
  shapes: ReadonlyMap<string, readonly number[]>,
  seed: number,
): Model {
  const random = createRandom(seed);
  const added = [...shapes].map(([name, shape]): [string, Float32Tensor] => {
    const size = shape.reduce((a, b) => a * b, 1);
    const scale = shape.length / Math.sqrt(size);
    return [name, { shape, data: random.latent(size).map((x) => scale * x) }];
  });
  return { card, tensors: new Map([...tensors, ...added]) };
}

export function tinyModel(fields: Record<string, unknown> = {}, seed = 1): Model {
  return modelOf(tinyCard(fields), seed);
}
