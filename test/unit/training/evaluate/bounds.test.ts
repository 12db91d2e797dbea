import { createOnnxCompute } from '../../../../server/training/autodiff/onnx.ts';
import {
  bitsPerDim,
  boundsOf,
  measureBounds,
} from '../../../../server/training/evaluate/bounds.ts';
import { Colony } from '../../../../server/training/evaluate/colony.ts';
import { Posteriors } from '../../../../server/training/evaluate/posteriors.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom, hashText } from '../../../../shared/random.ts';
import { tinyCard } from '../../vnca/tinyModel.ts';
import { smallImages, smallModel } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });

describe('bounds of log-weights', () => {
  it('are one and the same for a single sample', () => {
    expect(boundsOf([-87.5])).toEqual({ elbo: -87.5, iwae: -87.5 });
  });

  it('are those on paper', () => {
    const { elbo, iwae } = boundsOf([Math.log(1), Math.log(3)]);
    expect(elbo).toBeCloseTo(Math.log(3) / 2, 12);
    expect(iwae).toBeCloseTo(Math.log(2), 12);
  });

  it('stand weights that no number could hold', () => {
    expect(boundsOf([-9000, -9000]).iwae).toBeCloseTo(-9000, 9);
    expect(boundsOf([-9000, Number.NEGATIVE_INFINITY]).iwae).toBeCloseTo(-9000 - Math.LN2, 9);
  });

  it('tighten with the number of samples, on average', () => {
    const random = createRandom(1);
    const averages = [1, 2, 8, 32].map((n) => {
      let sum = 0;
      for (let i = 0; i < 4000; i++) {
        sum += boundsOf(Array.from({ length: n }, () => 2 * random.normal())).iwae;
      }
      return sum / 4000;
    });
    for (let i = 1; i < averages.length; i++) expect(averages[i]).toBeGreaterThan(averages[i - 1]);
  });
});

describe('bounds of images', () => {
  async function measure(model: Model, samples: number, seed = 1) {
    const channels = model.card.readout.kind === 'bernoulli' ? 1 : 4;
    const colony = new Colony(compute, model, 1);
    const posteriors = await Posteriors.create(compute, model);
    const images = smallImages(5, channels);
    const chance = (image: number) => createRandom(hashText(`${seed} ${image}`));
    const bounds = await measureBounds(colony, posteriors, images, samples, chance);
    await posteriors.dispose();
    await colony.dispose();
    return bounds;
  }
  const model = smallModel();

  it('agree for one sample of the same noise, and come out alike for the same seed', async () => {
    const bounds = await measure(model, 1);
    expect(bounds.iwae).toBe(bounds.elbo);
    expect(await measure(model, 1)).toEqual(bounds);
    expect((await measure(model, 1, 2)).elbo).not.toBe(bounds.elbo);
  });

  it('begin where an untrained model does', async () => {
    const untrained = smallModel({ update: { kind: 'simple', hidden: 7 } });
    for (const [name, { data }] of untrained.tensors) {
      if (name.startsWith('encoder.') || name.startsWith('update.out.')) data.fill(0);
    }
    const bounds = await measure(untrained, 2000);
    expect(bounds.divergence).toBeCloseTo(0, 6);
    // Every logit is the latent's first number, of N(0, 1): 0.806 nats a pixel.
    expect(bounds.elbo / 64).toBeCloseTo(-0.806, 1);
  });

  it('make an ELBO of reconstruction and divergence, and a tighter one of many samples', async () => {
    const bounds = await measure(model, 400);
    expect(bounds.divergence).toBeGreaterThan(0);
    expect(bounds.elbo).toBeCloseTo(bounds.reconstruction - bounds.divergence, 0);
    expect(bounds.iwae).toBeGreaterThan(bounds.elbo);
    expect(bounds.iwae).toBeLessThan(0);
    expect(bounds.standardError).toBeGreaterThan(0);
  });

  it('count a Gaussian constant in, with the σ of the card', async () => {
    const readout = { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] };
    const of = (sigma: string) =>
      measure(smallModel({ readout, training: { sigma }, presence: { threshold: 0.5 } }), 1);
    const [one, two] = [await of('1'), await of('2')];
    const constant = (sigma: number): number => -128 * Math.log(2 * Math.PI * sigma ** 2);
    // What is left is −½ errors / σ².
    expect((one.reconstruction - constant(1)) / (two.reconstruction - constant(2))).toBeCloseTo(
      4,
      4,
    );
  });
});

describe('bits per dimension', () => {
  const ink = { readout: { kind: 'bernoulli', channel: 0 }, presence: { threshold: 0.5 } };

  it('are of 784 numbers for digits, framed or not', () => {
    for (const side of [28, 32]) {
      const growth = { kind: 'uniform', steps: 1 };
      expect(bitsPerDim(tinyCard({ ...ink, growth, side }), -84.23)).toBeCloseTo(0.155, 4);
    }
  });

  it('are of all numbers else, and of none for densities', () => {
    expect(bitsPerDim(tinyCard({ ...ink, side: 16 }), -256 * Math.LN2)).toBeCloseTo(1, 9);
    const rgb = { readout: { kind: 'dmol', mixtures: 1 }, channels: 10, latentSize: 10 };
    const card = tinyCard({ ...rgb, presence: { threshold: 0.5 } });
    expect(bitsPerDim(card, -768 * Math.LN2)).toBeCloseTo(1, 9);
    expect(bitsPerDim(tinyCard(), -100)).toBeNull();
  });
});
