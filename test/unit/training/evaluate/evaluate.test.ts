/** Tests the figures of an evaluation, its files, and its bounds of the likelihood. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { speciesOf } from '../../../../server/rooms/loaded-checkpoint.ts';
import { evaluate } from '../../../../server/training/evaluate/evaluate.ts';
import { EvaluationBatch } from '../../../../server/training/evaluate/evaluation-batch.ts';
import {
  bitsPerDim,
  boundsOf,
  measureBounds,
  type OfImage,
} from '../../../../server/training/evaluate/images.ts';
import { throwLatents } from '../../../../server/training/evaluate/throws.ts';
import {
  writeFigures,
  writePictures,
} from '../../../../server/training/evaluate/write-pictures.ts';
import { openPosteriors } from '../../../../server/training/model/networks.ts';
import { countParameters } from '../../../../server/vnca/architecture.ts';
import { parseCard } from '../../../../server/vnca/card.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { thrownLatent } from '../../../../server/world/dice.ts';
import { createRandom, hashText } from '../../../../shared/random.ts';
import { temporaryFolder } from '../../../support/closing.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { softplus } from '../model/small.ts';
import { decoderModel, printingModel, quiet, smallImages, smallModel } from './small.ts';

const WANTED = { ...{ samples: 4, organisms: 0, steps: [5, 20] }, ...{ throws: 8, seed: 1 } };
const run = async (model: Model, judged: Parameters<typeof evaluate>[2], threads = 1, seed = 1) =>
  evaluate(createOnnxCompute({ threads }), model, judged, { ...WANTED, seed }, quiet);

describe('an evaluation', () => {
  it('has figures of the right shape', async () => {
    const { figures } = await run(smallModel(), smallImages(6));
    expect(Object.keys(figures.iwae)).toEqual(['samples', 'nats', 'bitsPerDim']);
    expect(Object.keys(figures.stay)).toEqual(['5', '20']);
    expect(Object.keys(figures.heal)).toEqual(['0.1', '0.25', '0.5', '0.75', '0.9']);
    expect(Object.keys(figures.heal['0.1'])).toEqual(['0', '4', '8', '16', '24', '32', '64']);
    expect(figures.heal['0.5'][0].mse).toBeGreaterThan(0);
    expect(figures.elbo).toBeLessThan(0);
    expect(figures.iwae.nats!).toBeGreaterThanOrEqual(figures.elbo!);
    expect(figures.grown.mse).toBeGreaterThan(0);
    expect(figures).toMatchObject({
      parameters: countParameters(smallModel().card),
      macPerCellStep: 9 * 6 * 7 + 7 * 7 + 7 * 6,
      // Null for ink, and without images of the gallery.
      unseen: null,
      throws: { precision: null, recall: null, throws: 8 },
    });
    // Each figure that is null has a note.
    expect(figures.notes).toEqual([
      'likelihood was measured on 6 of the 6 test images of the set "made up"',
      'unseen pictures were not measured: they do not fit',
      'organisms of the gallery were not compared with images, because the data set cannot be used or is not the one from which the gallery was made',
      expect.stringMatching(/^precision and recall .* were not measured, because this needs /),
      expect.stringMatching(/^chimeras were not measured, because /),
    ]);
    expect(JSON.parse(JSON.stringify(figures))).toEqual(figures);
  });

  it('throws what the dice of a room give', () => {
    const model = smallModel({ sampler: 2 });
    const numbers = createRandom(5);
    const species = speciesOf({ ...model, folder: '' });
    const expected = Array.from({ length: 40 }, () => [
      ...thrownLatent(species, numbers.integer(2 ** 32)),
    ]);
    expect([...throwLatents(model, 40, createRandom(5))]).toEqual(expected.flat());
  });

  it('says why there is no likelihood', async () => {
    const { card, tensors } = smallModel();
    const { encoder: _, ...blind } = card;
    const none = await run({ card: blind, tensors }, smallImages(2));
    expect(none.figures).toMatchObject({
      elbo: null,
      iwae: { samples: 4, nats: null, bitsPerDim: null },
      grown: { mse: null, gallery: null },
      likelihood: null,
    });
    expect(none.figures.notes[0]).toMatch(
      /likelihood and other figures of images were not measured: .* has no encoder/,
    );
  });

  it('measures the gallery and what a model makes of pictures it has never seen', async () => {
    const { figures } = await run(printingModel(), {
      ...smallImages(6, 4),
      gallery: {
        pixels: Float32Array.from({ length: 6 * 256 }, (_, i) => (i < 256 ? 1 : 0)),
        count: 6,
      },
      unseen: { pixels: new Float32Array(2 * 256).fill(0.5), count: 2 },
    });
    // All organisms are white, like the first image.
    expect(figures.grown.gallery).toBeCloseTo(5 / 6, 4);
    expect(figures.unseen).toEqual({ mse: 0.25, images: 2 });
    expect(figures.cycles).toBe(0);
    expect(figures.stay['20'].strict).toBe(1);
    expect(figures.heal['0.5']['32'].strict).toBe(1);
    expect(figures.closing['32']).toMatchObject({ share: 1, strict: 1 });
    expect(figures.erased['32'].share).toBe(1);
    expect(figures.edges).toBeLessThan(1);
    expect(figures.throws!.hold).toBe(1);
  });

  it('measures a decoder too, without cells that stay or heal', async () => {
    const { figures, grown } = await run(decoderModel(), smallImages(3));
    expect(figures.iwae.nats!).toBeGreaterThanOrEqual(figures.elbo!);
    expect(figures).toMatchObject({ stay: {}, heal: {}, cycles: null, throws: null, organisms: 0 });
    expect(grown.count).toBe(0);
    expect(figures.notes.join()).toContain('which has no cells');
  });
});

const newFolder = temporaryFolder();

it('writes figures into the card and pictures beside it', async () => {
  const folder = newFolder();
  const model = smallModel();
  const { gallery } = model.card;
  await writeFile(join(folder, 'card.json'), JSON.stringify(model.card, null, 2));
  const evaluation = await run(model, smallImages(2));
  await writeFigures(folder, model, evaluation.figures);
  const text = await readFile(join(folder, 'card.json'), 'utf8');
  const card = parseCard(JSON.parse(text), 'card.json');
  expect(card).toEqual({ ...model.card, figures: evaluation.figures });
  expect(text).toContain(String.raw`    {"name": "\"0\"", "kind": "plant"},`);

  // Replaces the weights as if training had written them during the evaluation.
  const cardFile = join(folder, 'card.json');
  const replaced = JSON.stringify({ ...model.card, identity: '0123abcd' });
  await writeFile(cardFile, replaced);
  await expect(writeFigures(folder, model, evaluation.figures)).rejects.toMatchObject({
    reason: 'other-weights',
  });
  expect(await readFile(cardFile, 'utf8')).toBe(replaced);

  const compute = createOnnxCompute({ threads: 1 });
  await writePictures(compute, model, evaluation, { ...WANTED, folder });
  const written = (await readdir(folder)).sort();
  expect(written.join()).toBe(
    'card.json,growth.png,heal.png,map.json,map.png,samples.png,wounds.png',
  );
  for (const name of written.filter((file) => file.endsWith('.png'))) {
    const { width } = PNG.sync.read(await readFile(join(folder, name)));
    expect(width).toBeGreaterThan(100);
  }
  const map = JSON.parse(await readFile(join(folder, 'map.json'), 'utf8'));
  expect(map).toHaveLength(gallery.length);
  expect(map[1]).toEqual({ ...gallery[1], x: expect.any(Number), y: expect.any(Number) });
});

const compute = createOnnxCompute({ threads: 1 });

describe('bounds of log-weights', () => {
  it('are finite for weights beyond the range of exp', () => {
    expect(boundsOf([-9000, -9000]).iwae).toBeCloseTo(-9000, 9);
    expect(boundsOf([-9000, Number.NEGATIVE_INFINITY]).iwae).toBeCloseTo(-9000 - Math.LN2, 9);
  });
});

/** Measures bounds of images. Each image has its own random numbers. */
async function measure(
  model: Model,
  samples: number,
  images = smallImages(5, model.card.readout.kind === 'bernoulli' ? 1 : 4),
) {
  const batch = new EvaluationBatch(compute, model, 1);
  const posteriors = await openPosteriors(compute, model);
  const random = (image: number) => createRandom(hashText(`${image}`));
  const bounds = await measureBounds(batch, posteriors, images, samples, random);
  const posterior = await posteriors.encode(images.pixels, images.count);
  await posteriors.dispose();
  await batch.dispose();
  return { bounds, each: bounds.each, posterior };
}

/** Repeats images, so that each is measured with several seeds. */
function again(times: number, images = smallImages(5)) {
  const { pixels, count } = images;
  const all = new Float32Array(times * pixels.length);
  for (let i = 0; i < times; i++) all.set(pixels, i * pixels.length);
  return { ...images, pixels: all, count: times * count };
}

/** Returns the mean of independent numbers and its standard error. */
function meanOf(numbers: readonly number[]): { mean: number; standardError: number } {
  const n = numbers.length;
  const mean = numbers.reduce((sum, x) => sum + x, 0) / n;
  const spread = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  return { mean, standardError: Math.sqrt(spread / n) };
}

/** Returns the mean of a figure over the five images, for each seed. */
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
  it('match numerical integration where that is possible', async () => {
    const flat = smallModel();
    // A rule that changes nothing shows the latent's first number, as a logit, in every pixel.
    for (const [name, { data }] of flat.tensors) {
      if (name.startsWith('update.out.')) data.fill(0);
    }
    const { pixels, count } = smallImages(5);
    const one = await measure(flat, 1, again(1000));
    const many = await measure(flat, 256, again(10));
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
    // The remaining gap of the bound is of order 1 / 256.
    const tight = meanOf(bySeed(many.each, ([, iwae]) => iwae));
    expect(tight.mean).toBeLessThan(whole + 3 * tight.standardError);
    expect(tight.mean).toBeGreaterThan(whole - 0.2);
    expect(whole - elbo).toBeGreaterThan(10);
  });

  it('include the Gaussian constant with the σ of the card', async () => {
    const readout = { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] };
    const of = async (sigma: string) => {
      const fields = { readout, training: { sigma }, presence: { threshold: 0.5 } };
      return (await measure(smallModel(fields), 1)).bounds;
    };
    const [one, two] = [await of('1'), await of('2')];
    const constant = (sigma: number): number => -128 * Math.log(2 * Math.PI * sigma ** 2);
    // The remaining term is −½ errors / σ².
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
