/** Small made-up checkpoints with an encoder, and images for them. */

import { TrainingError } from '../../../../server/training/errors.ts';
import type { TestImages } from '../../../../server/training/evaluate/images.ts';
import type { Measure } from '../../../../server/training/terminal.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { type EncoderNetwork, encoderShapes } from '../../../../server/vnca/encoder-network.ts';
import { createRandom } from '../../../../shared/random.ts';
import { modelOf, tinyCard } from '../../vnca/tiny-model.ts';

export const SIDE = 8;

const ENCODER: EncoderNetwork = {
  input: '0..1',
  convolutions: [{ size: 3, stride: 2, pad: 1, channels: 3 }],
  dense: [],
};

/** Ink on 8×8 by a rule of random weights. */
export function smallModel(fields: Record<string, unknown> = {}): Model {
  const card = tinyCard({
    side: SIDE,
    readout: { kind: 'bernoulli', channel: 0 },
    presence: { threshold: 0.5 },
    encoder: ENCODER,
    gallery: Array.from({ length: 6 }, (_, i) => ({
      name: `"${i}"`,
      kind: i % 2 ? 'animal' : 'plant',
    })),
    ...fields,
  });
  const model = modelOf(card, 3);
  const random = createRandom(7);
  const channels = card.readout.kind === 'bernoulli' ? 1 : 4;
  const image = { side: SIDE, channels, latentSize: card.latentSize };
  const tensors = new Map(model.tensors);
  for (const [name, shape] of encoderShapes(ENCODER, image)) {
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, {
      shape,
      data: Float32Array.from({ length: size }, () => 0.15 * random.normal()),
    });
  }
  return { card, tensors };
}

/** Colours on 8×8 by a rule that makes every cell white in each step. */
export function printingModel(): Model {
  const model = smallModel({
    readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] },
    update: { kind: 'residual', hidden: 7, leak: 1 },
  });
  model.tensors.get('update.out.kernel')!.data.fill(0);
  model.tensors.get('update.out.bias')!.data.fill(1);
  return model;
}

/** Ink on 8×8 by a decoder of random weights. */
export const decoderModel = (): Model =>
  smallModel({
    channels: 1,
    growth: { kind: 'uniform', steps: 1 },
    update: { kind: 'decoder', hidden: 8, doublings: 2 },
  });

/** Random ink. */
export function smallImages(count: number, channels: 1 | 4 = 1): TestImages {
  const random = createRandom(11);
  return {
    pixels: Float32Array.from({ length: count * SIDE ** 2 * channels }, () => random.integer(2)),
    count,
    set: 'made up',
    split: 'test',
    trained: false,
    of: count,
    unseen: new TrainingError('unfit-data', 'they do not fit'),
  };
}

export const quiet: Measure = (_, run) => run();
