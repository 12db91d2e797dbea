/** Tiny training runs: patches of 8×8, six images, milliseconds per update. */
import type { Compute } from '../../../server/autodiff/compute.ts';
import { sizeOf } from '../../../server/autodiff/graph.ts';
import type { Shapes } from '../../../server/autodiff/parameters.ts';
import { parseConfig, type TrainingConfig } from '../../../server/training/config.ts';
import type { Dataset } from '../../../server/training/data/dataset.ts';
import { firstState, type RunState } from '../../../server/training/run/run-state.ts';
import { Trainer, type UpdateReport } from '../../../server/training/run/trainer.ts';

const SIDE = 8;
const COUNT = 6;

/** Returns a configuration as stored in a file. */
export function tinyConfigJson(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'tiny',
    title: 'Tiny',
    side: SIDE,
    channels: 6,
    latentSize: 6,
    growth: { kind: 'doubling', seedSide: 2, stepsPerStage: 2 },
    update: { kind: 'residual', hidden: 5, stateLimit: 4 },
    readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] },
    presence: { channel: 3, threshold: 0.1 },
    encoder: {
      input: '0..1',
      convolutions: [{ size: 3, stride: 2, pad: 1, channels: 4 }],
      logSigmaRange: [-6, 2],
    },
    data: { kind: 'folder', folder: 'none', side: SIDE, margin: 0 },
    updates: 6,
    batch: { fresh: 4, micro: 2 },
    segmentSteps: 2,
    ...fields,
  };
}

export const tinyConfig = (fields: Record<string, unknown> = {}): TrainingConfig =>
  parseConfig(tinyConfigJson(fields), 'tiny.json');

/** A pool that is used once it holds more than two states. */
export const TINY_POOL = {
  size: 6,
  batch: 2,
  admit: 2,
  steps: [1, 3],
  wounds: ['disc', 'half', 'bar', 'square', 'stroke'],
};

/** All options of an optimiser, for a run of few updates. */
export const TINY_OPTIMISER = { learningRate: 0.01, warmup: 2, decay: 0.5, clip: 1, average: 0.9 };

/** Growth without a division. */
export const UNIFORM = { growth: { kind: 'uniform', steps: 4 } };

/** A rule whose cells update by chance. */
export const MASKED = { kind: 'simple', hidden: 5, updateProbability: 0.5 };

/** Makes six discs of different colours on clear ground (RGBA) or on black (RGB), or of ink. */
export function tinyData(channels: 1 | 3 | 4 = 4): Dataset {
  const pixels = new Uint8Array(COUNT * SIDE * SIDE * channels);
  for (let n = 0; n < COUNT; n++) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        if (Math.hypot(x - 3.5, y - 3.5) > 1.5 + (n % 3)) continue;
        const colour = channels === 1 ? [255] : [40 * n, 250 - 40 * n, n % 2 === 0 ? 250 : 20, 255];
        pixels.set(colour.slice(0, channels), ((n * SIDE + y) * SIDE + x) * channels);
      }
    }
  }
  return {
    name: 'discs',
    side: SIDE,
    channels,
    count: COUNT,
    pixels,
    entries: Array.from({ length: COUNT }, (_, n) => ({ name: `Disc ${n}`, kind: 'thing' })),
    splits: {
      train: Uint32Array.from({ length: COUNT - 1 }, (_, i) => i),
      validation: Uint32Array.of(COUNT - 1),
      test: new Uint32Array(0),
    },
    source: 'made up',
    licence: 'none',
    description: 'six discs',
  };
}

export async function updates(trainer: Trainer, count: number): Promise<UpdateReport[]> {
  const reports: UpdateReport[] = [];
  for (let i = 0; i < count; i++) reports.push(await trainer.update());
  return reports;
}

/** Formats the numbers of a state as text, to compare states bit for bit. */
export function numbersOf({ update, reached, tensors, pool, crowd, patients }: RunState) {
  return {
    update,
    reached,
    tensors: Object.fromEntries(
      [...tensors]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { shape, data }]) => [name, `${shape}: ${hexOf(data)}`]),
    ),
    pool: pool.map(({ image, age, states }) => `${image} ${age} ${hexOf(states)}`),
    crowd: crowd.map(({ image, age, states, open }) => `${image} ${age} ${open} ${hexOf(states)}`),
    patients: patients.map(
      ({ image, age, states, open, closed }) =>
        `${image} ${age} ${open} ${closed} ${hexOf(states)}`,
    ),
  };
}

export const hexOf = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

/** Returns the number of values in all tensors. */
export const countNumbers = (shapes: Shapes): number =>
  [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);

/**
 * @param compute the default back end of the trainers
 * @returns creates a trainer that is disposed after its test
 */
export function tinyTrainers(compute: Compute) {
  const started: Trainer[] = [];
  afterEach(async () => {
    for (const trainer of started.splice(0)) await trainer.dispose();
  });
  return async (
    config: TrainingConfig,
    state: RunState = firstState(config),
    { data = tinyData(), on = compute } = {},
  ): Promise<Trainer> => {
    const trainer = await Trainer.create(on, config, data, state);
    started.push(trainer);
    return trainer;
  };
}
