import type { PatchStore } from '../../../../server/engine/backend.ts';
import { openStore } from '../../../../server/engine/choose-backend.ts';
import type { PatchStep, Readout } from '../../../../server/engine/engine.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { CONTRACT_MODELS, seedOf } from '../support.ts';
import { isGpuHere } from './support.ts';

const REFERENCE = 'onnx';
const standingInput = true;

/** Few, with much in each: a software adapter takes seconds to compile a kernel. */
const MODELS: readonly Model[] = [
  ...CONTRACT_MODELS.filter(({ card }) => card.name === 'genome'),
  ...[
    {
      name: 'expressed',
      channels: 9,
      latentSize: 14,
      update: {
        ...{ kind: 'residual', hidden: 20, activation: 'relu', leak: 0.5, stateLimit: 4 },
        standingInput,
        genome: { hidden: 11, expressed: 5, scalesPerception: false, gain: 0.3 },
      },
      readout: { kind: 'rgba-premultiplied', channels: [5, 0, 8, 4] },
    },
    {
      name: 'colours',
      channels: 20,
      latentSize: 20,
      update: { kind: 'simple', hidden: 12, outBias: true, standingInput, genome: { hidden: 5 } },
      readout: { kind: 'dmol', mixtures: 2 },
      presence: { channel: 17, threshold: 0.1 },
    },
    {
      name: 'ink',
      side: 12,
      growth: { kind: 'doubling', seedSide: 3, stepsPerStage: 2 },
      update: { kind: 'res4', hidden: 9, standingInput },
      readout: { kind: 'bernoulli', channel: 5 },
      presence: { threshold: 0.1 },
    },
    // Channels that do not all fit beside each other, and more of them than hidden units.
    { name: 'deep', channels: 130, latentSize: 130, update: { kind: 'simple', hidden: 16 } },
    // Too wide for the largest tile.
    { name: 'wide', update: { kind: 'residual', hidden: 200 } },
  ].map((fields, i) => tinyModel(fields, i + 20)),
];

/** Divides, masks all but a corner, and steps on. */
async function live(store: PatchStore): Promise<{ readouts: Readout[][]; states: Float32Array[] }> {
  const ids = MODELS.map((_, i) => i);
  store.plant(MODELS.map(seedOf));
  const readouts: Readout[][] = [];
  for (let k = 0; k < 5; k++) {
    const divide = k === 1 || k === 3;
    const steps = ids.map((patch): PatchStep => {
      const doubles = divide && MODELS[patch].card.growth.kind === 'doubling';
      if (k !== 3) return { patch, divide: doubles };
      const { growth, side } = MODELS[patch].card;
      const stage = growth.kind === 'doubling' ? 4 * growth.seedSide : side;
      const keep = Uint8Array.from({ length: stage * stage }, (_, i) => (i % 5 < 2 ? 0 : 1));
      return { patch, divide: doubles, keep };
    });
    readouts.push(await store.step(steps));
  }
  return { readouts, states: await store.exportStates(ids) };
}

let wanted: Awaited<ReturnType<typeof live>>;

beforeAll(async () => {
  const { store } = await openStore(REFERENCE, MODELS);
  wanted = await live(store);
  await store.close();
});

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length);
  let most = 0;
  // NaN counts as the largest difference.
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Math.abs(a[i] - b[i]) || (a[i] === b[i] ? 0 : 1e9));
  return most;
};

if (isGpuHere) {
  describe('on webgpu', () => {
    let got: typeof wanted;
    beforeAll(async () => {
      const { store } = await openStore('webgpu', MODELS);
      got = await live(store);
      await store.close();
    });

    test.each(MODELS.map(({ card }, i) => [card.name, i] as const))('%s', (_, i) => {
      expect(largest(got.states[i], wanted.states[i])).toBeLessThan(1e-4);
      for (const [k, readouts] of wanted.readouts.entries()) {
        const seen = got.readouts[k][i];
        expect(seen.stage).toBe(readouts[i].stage);
        // A value that lies between two bytes may round to either.
        expect(largest(seen.rgba, readouts[i].rgba)).toBeLessThanOrEqual(1);
        expect(largest(seen.presence, readouts[i].presence)).toBeLessThanOrEqual(1);
        expect(Math.abs(seen.change - readouts[i].change)).toBeLessThanOrEqual(2);
      }
    });
  });
}

if (!isGpuHere) test.todo('no GPU engine is here to be compared');
