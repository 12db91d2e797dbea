import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import {
  type BoundsFile,
  bitsPerDim,
  boundsOf,
  measureBounds,
  type OfImage,
  openBoundsFile,
} from '../../../../server/training/evaluate/bounds.ts';
import { evaluate } from '../../../../server/training/evaluate/evaluate.ts';
import { EvaluationBatch } from '../../../../server/training/evaluate/evaluation-batch.ts';
import { openPosteriors } from '../../../../server/training/model/networks.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom, hashText } from '../../../../shared/random.ts';
import { temporaryFolder } from '../../../support/closing.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { softplus } from '../model/small.ts';
import { quiet, smallImages, smallModel } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });

describe('bounds of log-weights', () => {
  it('match values computed by hand', () => {
    const { elbo, iwae } = boundsOf([Math.log(1), Math.log(3)]);
    expect(elbo).toBeCloseTo(Math.log(3) / 2, 12);
    expect(iwae).toBeCloseTo(Math.log(2), 12);
  });

  it('are finite for weights beyond the range of exp', () => {
    expect(boundsOf([-9000, -9000]).iwae).toBeCloseTo(-9000, 9);
    expect(boundsOf([-9000, Number.NEGATIVE_INFINITY]).iwae).toBeCloseTo(-9000 - Math.LN2, 9);
  });
});

/**
 * Bounds of images, and what each image came to; an image has chance of its own, which `seed`
 * changes.
 */
async function measure(
  model: Model,
  samples: number,
  { images = smallImages(5, model.card.readout.kind === 'bernoulli' ? 1 : 4), seed = 1 } = {},
) {
  const batch = new EvaluationBatch(compute, model, 1);
  const posteriors = await openPosteriors(compute, model);
  const each: OfImage[] = [];
  const keep = { known: [], add: async (more: readonly OfImage[]) => void each.push(...more) };
  const chance = (image: number) => createRandom(hashText(`${seed} ${image}`));
  const bounds = await measureBounds(batch, posteriors, images, {
    samples,
    random: chance,
    keep,
  });
  const posterior = await posteriors.encode(images.pixels, images.count);
  await posteriors.dispose();
  await batch.dispose();
  return { bounds, each, posterior };
}

/** The same images again and again, so that each is measured with that many seeds. */
function again(times: number, images = smallImages(5)) {
  const { pixels, count } = images;
  const all = new Float32Array(times * pixels.length);
  for (let i = 0; i < times; i++) all.set(pixels, i * pixels.length);
  return { ...images, pixels: all, count: times * count };
}

/** Over independent numbers. */
function meanOf(numbers: readonly number[]): { mean: number; standardError: number } {
  const n = numbers.length;
  const mean = numbers.reduce((sum, x) => sum + x, 0) / n;
  const spread = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  return { mean, standardError: Math.sqrt(spread / n) };
}

/**
 * A figure of each seed, of images that were measured again and again: its mean over the images.
 */
const bySeed = (each: readonly OfImage[], figure: (image: OfImage) => number): number[] =>
  Array.from({ length: each.length / 5 }, (_, seed) => {
    const images = each.slice(5 * seed, 5 * seed + 5);
    return images.reduce((sum, image) => sum + figure(image), 0) / 5;
  });

/** ∫ f(t) N(t; 0, 1) dt. */
function integral(f: (t: number) => number): number {
  const step = 0.001;
  let sum = 0;
  for (let t = -9; t <= 9; t += step) sum += f(t) * Math.exp((-t * t) / 2);
  return (step * sum) / Math.sqrt(2 * Math.PI);
}

describe('bounds of images', () => {
  const model = smallModel();

  it('match numerical integration where that is possible', async () => {
    const flat = smallModel();
    // A rule that changes nothing shows the latent's first number, as a logit, in every pixel.
    for (const [name, { data }] of flat.tensors) {
      if (name.startsWith('update.out.')) data.fill(0);
    }
    const { pixels, count } = smallImages(5);
    const one = await measure(flat, 1, { images: again(1000) });
    const many = await measure(flat, 256, { images: again(10) });
    const z = flat.card.latentSize;
    let elbo = 0;
    let whole = 0;
    for (let n = 0; n < count; n++) {
      const ink = pixels.subarray(64 * n, 64 * (n + 1)).reduce((sum, x) => sum + x, 0);
      const nats = (logit: number): number =>
        -ink * softplus(-logit) - (64 - ink) * softplus(logit);
      const [mean, sigma] = [one.posterior.mean[n * z], Math.exp(one.posterior.logSigma[n * z])];
      elbo += integral((t) => nats(mean + sigma * t)) / count;
      whole += Math.log(integral((t) => Math.exp(nats(t)))) / count;
    }
    elbo -= one.bounds.divergence;

    const single = meanOf(bySeed(one.each, ([, iwae]) => iwae));
    expect(Math.abs(single.mean - elbo)).toBeLessThan(3 * single.standardError);
    // The gap that is left is the bound's own, of order 1 / 256.
    const tight = meanOf(bySeed(many.each, ([, iwae]) => iwae));
    expect(tight.mean).toBeLessThan(whole + 3 * tight.standardError);
    expect(tight.mean).toBeGreaterThan(whole - 0.2);
    expect(whole - elbo).toBeGreaterThan(10);
  });

  it('report the standard error over images', async () => {
    const { bounds, each } = await measure(model, 4);
    const { mean, standardError } = meanOf(each.map(([, iwae]) => iwae));
    expect(bounds.iwae).toBeCloseTo(mean, 9);
    expect(bounds.standardError).toBeCloseTo(standardError, 9);
  });

  it('include the Gaussian constant with the σ of the card', async () => {
    const readout = { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] };
    const of = async (sigma: string) => {
      const fields = { readout, training: { sigma }, presence: { threshold: 0.5 } };
      return (await measure(smallModel(fields), 1)).bounds;
    };
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

  it('count 784 numbers for digits, padded or not', () => {
    for (const side of [28, 32]) {
      const growth = { kind: 'uniform', steps: 1 };
      expect(bitsPerDim(tinyCard({ ...ink, growth, side }), -84.23)).toBeCloseTo(0.155, 4);
    }
  });

  it('count all numbers otherwise, and are null for densities', () => {
    expect(bitsPerDim(tinyCard({ ...ink, side: 16 }), -256 * Math.LN2)).toBeCloseTo(1, 9);
    const rgb = { readout: { kind: 'dmol', mixtures: 1 }, channels: 10, latentSize: 10 };
    const card = tinyCard({ ...rgb, presence: { threshold: 0.5 } });
    expect(bitsPerDim(card, -768 * Math.LN2)).toBeCloseTo(1, 9);
    expect(bitsPerDim(tinyCard(), -100)).toBeNull();
  });
});

const model = smallModel();
// More samples than are worked on together leave an image a batch of its own.
const measured = { model, images: smallImages(5), samples: 700, seed: 1 };

const folder = temporaryFolder();
let file: string;
let count = 0;
beforeEach(() => {
  file = join(folder(), `${count++}.jsonl`);
});

const open = (at: string, { model, images, ...by }: typeof measured): Promise<BoundsFile> =>
  openBoundsFile(at, model, images, by);

const lines = async () => (await readFile(file, 'utf8')).split('\n');

async function figures(keep?: BoundsFile) {
  const wanted = {
    organisms: 1,
    steps: [1],
    wounds: [0.5],
    throws: 0,
    seed: 1,
    samples: measured.samples,
  };
  const compute = createOnnxCompute({ threads: 1 });
  const options = { ...wanted, ...(keep && { keep }) };
  const found = await evaluate(compute, model, measured.images, options, quiet);
  await compute.dispose();
  return found.figures;
}

it('a stopped evaluation continues to the same result and measures nothing twice', async () => {
  const whole = await figures();
  expect(await figures(await open(file, measured))).toEqual(whole);
  const [head, ...images] = await lines();
  expect(images).toHaveLength(measured.images.count + 1);

  // Killed in the middle of the third image's line.
  await writeFile(file, [head, ...images.slice(0, 2), images[2].slice(0, 9)].join('\n'));
  const keep = await open(file, measured);
  expect(keep.known.map((row) => JSON.stringify(row))).toEqual(images.slice(0, 2));
  let added = 0;
  const counting: BoundsFile = {
    ...keep,
    add(more) {
      added += more.length;
      return keep.add(more);
    },
  };
  expect(await figures(counting)).toEqual(whole);
  expect(added).toBe(3);
  expect(await lines()).toEqual([head, ...images]);
});

it('a file with an incomplete first line starts again', async () => {
  await open(file, measured);
  const [head] = await lines();
  await writeFile(file, head.slice(0, 20));
  expect((await open(file, measured)).known).toEqual([]);
  expect(await lines()).toEqual([head, '']);
});

it.each([
  ['samples', { ...measured, samples: 8 }],
  ['a seed', { ...measured, seed: 2 }],
  ['images', { ...measured, images: smallImages(4) }],
  ['a model', { ...measured, model: smallModel({ update: { kind: 'simple', hidden: 7 } }) }],
])('a file of other %s is refused and not changed', async (_, other) => {
  await (await open(file, measured)).add([[-3, -2, -1]]);
  const before = await lines();
  await expect(open(file, other)).rejects.toMatchObject({
    reason: 'foreign-keep',
    message: expect.stringContaining('choose another file'),
  });
  expect(await lines()).toEqual(before);
});

it.each(['[1,2]', '[1,2,null]', 'x'])('a line %s is refused', async (line) => {
  await open(file, measured);
  await writeFile(file, `${await readFile(file, 'utf8')}${line}\n`);
  await expect(open(file, measured)).rejects.toThrow('does not have three numbers in line 2');
});

it('too many images, or a folder instead of a file, are refused', async () => {
  const keep = await open(file, measured);
  await keep.add(Array.from({ length: 6 }, () => [-3, -2, -1] as const));
  await expect(open(file, measured)).rejects.toThrow('more images than the set');
  await expect(open(folder(), measured)).rejects.toMatchObject({ reason: 'no-keep' });
});
