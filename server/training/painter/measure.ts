/**
 * Measures how well a painter draws creatures. Compares the painter's pictures with large versions
 * of the data set's pictures.
 */
import { createMap, finished } from '../../../shared/painter/genome-map.ts';
import { type PainterNet, painterWork } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import type { Compute, Value } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { parameterInputs, uploadParameters } from '../../autodiff/parameters.ts';
import type { EncoderNetwork } from '../../vnca/encoder-network.ts';
import { shrink } from '../data/augment.ts';
import { edgesOf, loadFeatures } from '../evaluate/compare-pictures.ts';
import { convolved } from '../model/networks.ts';
import { drawSheet, meanSquare, straight } from '../pictures/sheet.ts';
import { someOf } from '../run/run-state.ts';
import { enlarged, type MeasuredCreature, type Original } from './examples.ts';
import { ENLARGED } from './net-and-loss.ts';

/**
 * Factors by which pictures are shrunk. The perceptual distance is averaged over all shrunk copies.
 */
const SIZES = [1, 2, 4] as const;

/**
 * Prepares measurements of the perceptual distance between two pictures: how differently the
 * convolutional layers of the net `emoji-features` respond to the two pictures.
 *
 * @param side side of the pictures in pixels, a multiple of 4
 */
async function openPerceptual(compute: Compute, side: number) {
  const { card, tensors } = await loadFeatures();
  const net = card.encoder as EncoderNetwork;
  const names = [...tensors.keys()].filter((name) => name.startsWith('encoder.conv'));
  const parameters = parameterInputs(
    new Map(names.map((name) => [name, tensors.get(name)!.shape])),
  );
  const weights = uploadParameters(compute, names, tensors);
  const programs = await Promise.all(
    SIZES.map((part) => {
      const map = [1, side / part, side / part, 4] as const;
      const [a, b] = ['a', 'b'].map((name) => convolved(net, parameters, g.inputMap(name, map)));
      const distances = a.map((of, i) => meanDistance(of, b[i]));
      return compute.compile({ distance: distances.reduce((sum, x) => g.add(sum, x)) });
    }),
  );
  return {
    /**
     * Returns the perceptual distance between two pictures [side, side, 4] with values 0…255. The
     * distance of equal pictures is 0.
     */
    async between(a: Uint8Array, b: Uint8Array): Promise<number> {
      let sum = 0;
      for (const [i, part] of SIZES.entries()) {
        const to = side / part;
        const uploaded = (bytes: Uint8Array): Value =>
          compute.upload([1, to, to, 4], shrink(unit(bytes), side, to, 4));
        const pictures = { a: uploaded(a), b: uploaded(b) };
        const { distance } = await programs[i].run({ ...weights, ...pictures });
        sum += (await compute.read(distance))[0];
        compute.free(distance, ...Object.values(pictures));
      }
      return sum / (SIZES.length * net.convolutions.length);
    },
    async dispose(): Promise<void> {
      compute.free(...Object.values(weights));
      for (const program of programs) await program.dispose();
    },
  };
}

/**
 * Builds a tensor expression for the mean squared distance between normalised feature vectors of
 * two pictures, as in LPIPS (Zhang et al. 2018).
 */
function meanDistance(a: Expression, b: Expression): Expression {
  const direction = (x: Expression): Expression =>
    g.divide(x, g.sqrt(g.add(g.sum(g.square(x), [3]), 1e-6)));
  const apart = g.sum(g.square(g.subtract(direction(a), direction(b))));
  return g.divide(g.reshape(apart, []), g.constant(a.shape[1] * a.shape[2]));
}

/** Two ways of drawing cells: the painter, and bicubic interpolation. */
const WAYS = ['painted', 'bicubic'] as const;

/**
 * Draws the cells of one creature in each of the `WAYS`.
 *
 * @param cells [side, side, 4] premultiplied RGBA, 0…255
 * @param latent the creature's latent; absent if the painter must draw without it
 */
export function drawings(
  net: PainterNet,
  cells: Uint8Array,
  side: number,
  latent?: Float32Array,
): Record<(typeof WAYS)[number], Uint8Array> {
  return {
    painted: paintAlone(net, cells, side, latent),
    bicubic: enlarged(cells, side, ENLARGED),
  };
}

/** Paints the cells of a single creature, with 8×8 pixels per cell. */
export function paintAlone(
  net: PainterNet,
  cells: Uint8Array,
  side: number,
  latent?: Float32Array,
): Uint8Array {
  const owners = Uint8Array.from({ length: side * side }, (_, i) => (cells[4 * i + 3] > 0 ? 1 : 0));
  const map = latent && finished(createMap(net, { latents: [latent] }));
  const mapOf = () => map && { ...map, x: 0, y: 0 };
  const grid = { cells, owners, width: side, height: side, mapOf };
  return new Uint8Array(paint({ ...grid, net, scale: ENLARGED }).buffer);
}

/**
 * Measures how well a painter draws creatures.
 *
 * @param creatures.kept creatures reserved for measuring
 * @param creatures.learned creatures whose genomes the painter has learned, if any
 * @param side side of the creatures, in cells
 */
export async function measurePainter(
  compute: Compute,
  net: PainterNet,
  { kept, learned }: Readonly<Record<'kept' | 'learned', readonly MeasuredCreature[]>>,
  side: number,
) {
  const perceptual = await openPerceptual(compute, ENLARGED * side);
  const compare = async (
    examples: readonly (Pick<Original, 'small' | 'large'> & Pick<MeasuredCreature, 'latent'>)[],
  ) => {
    const sums = WAYS.map(() => ({ psnr: 0, distance: 0, edges: 0 }));
    for (const { small, large, latent } of examples) {
      const made = drawings(net, small, side, latent);
      const edges = edgesIn(large, side);
      for (const [i, way] of WAYS.entries()) {
        sums[i].psnr += psnr(made[way], large) / examples.length;
        sums[i].distance += (await perceptual.between(made[way], large)) / examples.length;
        sums[i].edges += edgesIn(made[way], side) / edges / examples.length;
      }
    }
    const rounded = sums.map((sum) =>
      Object.fromEntries(Object.entries(sum).map(([key, x]) => [key, Number(x.toPrecision(4))])),
    );
    return Object.fromEntries(WAYS.map((way, i) => [way, rounded[i]]));
  };
  const figures = {
    creatures: kept.length,
    /**
     * Quality for the reserved creatures. `originals`: drawn from the data set's small pictures;
     * `grown`: drawn from cells that the rule has grown.
     */
    originals: await compare(kept.map(({ original }) => original)),
    grown: await compare(kept.map(ofGrown)),
    /** Quality for creatures whose genomes the painter has learned. */
    ...(learned.length > 0 && {
      learned: { creatures: learned.length, ...(await compare(learned.map(ofGrown))) },
    }),
    wounds: woundFigures(net, kept, side),
    work: painterWork(net),
  };
  await perceptual.dispose();
  return figures;
}

const ofGrown = ({ original: { large }, grown, latent }: MeasuredCreature) => ({
  ...{ small: grown, large, latent },
});

/** Returns the peak signal-to-noise ratio of two pictures with values 0…255, in dB. */
export const psnr = (a: Uint8Array, b: Uint8Array): number => -10 * Math.log10(meanSquare(a, b));

const unit = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (x) => x / 255);

const edgesIn = (picture: Uint8Array, side: number): number =>
  edgesOf(unit(picture), ENLARGED * side, 4);

/**
 * Measures how well a painter keeps wounds empty: erases a disc of cells in the middle of each
 * creature, and measures how much is painted inside the disc.
 */
function woundFigures(net: PainterNet, kept: readonly MeasuredCreature[], side: number) {
  const [all, inner] = [0, 1].map(() => ({ sum: 0, count: 0 }));
  for (const { grown, latent } of kept) {
    const distance = (i: number): number =>
      Math.hypot((i % side) + 0.5 - side / 2, Math.floor(i / side) + 0.5 - side / 2);
    const left = grown.map((value, i) => (distance(i >> 2) <= WOUND ? 0 : value));
    const painted = paintAlone(net, left, side, latent);
    const row = ENLARGED * side;
    for (let i = 0; i < row * row; i++) {
      const cell =
        Math.floor(Math.floor(i / row) / ENLARGED) * side + Math.floor((i % row) / ENLARGED);
      const from = distance(cell);
      if (from > WOUND) continue;
      for (const sum of from <= WOUND - 1.5 ? [all, inner] : [all]) {
        sum.sum += painted[4 * i + 3] / 255;
        sum.count++;
      }
    }
  }
  const mean = ({ sum, count }: typeof all): number => Number((sum / count).toPrecision(4));
  return {
    /** Mean alpha of the pixels painted in erased cells, 0…1. */
    alpha: mean(all),
    /** Mean alpha, 0…1, in erased cells at least 1.5 cells inside the disc's rim. */
    inner: mean(inner),
  };
}

/** Radius of the erased disc, in cells. */
const WOUND = 4;
const ROWS = 8;

/**
 * Draws a sheet for comparing a data set's large pictures, bicubic enlargements and painted
 * pictures. Each row shows one creature.
 *
 * @returns a PNG file
 */
export async function drawPainterSheet(
  net: PainterNet,
  kept: readonly MeasuredCreature[],
  side: number,
): Promise<Buffer> {
  const tile = (rgba: Uint8Array) => ({ side: ENLARGED * side, rgba: straight(rgba) });
  const rows = someOf(kept.length, ROWS).map((i) => {
    const { original, grown, latent } = kept[i];
    const { painted, bicubic } = drawings(net, original.small, side);
    const fromGrown = drawings(net, grown, side, latent);
    const wounded = paintAlone(net, withoutDisc(grown, side), side, latent);
    return [
      ...[original.large, bicubic, painted],
      ...[fromGrown.bicubic, fromGrown.painted, wounded],
    ].map(tile);
  });
  const columns = [
    ...['original', 'bicubic', 'painted'],
    ...['grown: bicubic', 'grown: painted', 'wounded: painted'],
  ];
  return drawSheet(rows, { scale: 1, columns });
}

/** Returns a copy of a creature's cells in which a disc, to the right of the middle, is empty. */
export function withoutDisc(cells: Uint8Array, side: number): Uint8Array {
  const radius = side / 8;
  return cells.map((value, at) => {
    const i = at >> 2;
    const [x, y] = [(i % side) + 0.5 - 0.6 * side, Math.floor(i / side) + 0.5 - side / 2];
    return Math.hypot(x, y) <= radius ? 0 : value;
  });
}
