/**
 * Measures a painter on creatures that it was not trained on, against their originals, and draws them
 * side by side.
 * It never trains or writes.
 * Start at `measurePainter`.
 */
import { type PainterNet, painterWork } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import type { Compute, Value } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { parameterInputs, uploadParameters } from '../../autodiff/parameters.ts';
import type { EncoderNetwork } from '../../vnca/encoder-network.ts';
import { shrink } from '../data/augment.ts';
import { edgesOf, loadFeatures } from '../evaluate/picture.ts';
import { convolved } from '../model/networks.ts';
import { drawSheet, meanSquare, straight } from '../pictures/sheet.ts';
import { someOf } from '../run/run-state.ts';
import { enlarged, shaderEnlarged } from './enlarge.ts';
import { ENLARGED, type Original } from './originals.ts';

/** The distance is the mean over the picture, half and a quarter of its size. */
const SIZES = [1, 2, 4] as const;

/**
 * Opens a perceptual distance of pictures: how differently the convolutions of `emoji-features` see
 * them.
 *
 * @param side of the pictures, pixels; a multiple of 4
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
    /** The distance of two pictures [side, side, 4], 0…255; 0 for equal ones. */
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

/** Mean over places of the squared distance of directions in feature space (as LPIPS). */
function meanDistance(a: Expression, b: Expression): Expression {
  const direction = (x: Expression): Expression =>
    g.divide(x, g.sqrt(g.add(g.sum(g.square(x), [3]), 1e-6)));
  const apart = g.sum(g.square(g.subtract(direction(a), direction(b))));
  return g.divide(g.reshape(apart, []), g.constant(a.shape[1] * a.shape[2]));
}

/** A creature that a painter is measured by. */
export interface KeptCreature {
  readonly original: Original;
  /** Cells that the rule grows from its latent: [side, side, 4] premultiplied RGBA, 0…255. */
  readonly grown: Uint8Array;
}

/** Ways to make a picture of cells. */
const WAYS = ['painted', 'bicubic', 'shader'] as const;

/** Draws cells of a single creature, without owners of others, in each way. */
export function drawings(
  net: PainterNet,
  cells: Uint8Array,
  side: number,
): Record<(typeof WAYS)[number], Uint8Array> {
  return {
    painted: paintAlone(net, cells, side),
    bicubic: enlarged(cells, side, ENLARGED),
    shader: new Uint8Array(shaderEnlarged(cells, side, ENLARGED).buffer),
  };
}

/** Paints cells that belong to one creature, eight pixels a cell. */
export function paintAlone(net: PainterNet, cells: Uint8Array, side: number): Uint8Array {
  const owners = Uint8Array.from({ length: side * side }, (_, i) => (cells[4 * i + 3] > 0 ? 1 : 0));
  const grid = { cells, owners, width: side, height: side };
  return new Uint8Array(paint({ ...grid, net, scale: ENLARGED }).buffer);
}

/** Measures. @param side of the creatures, cells */
export async function measurePainter(
  compute: Compute,
  net: PainterNet,
  kept: readonly KeptCreature[],
  side: number,
) {
  const perceptual = await openPerceptual(compute, ENLARGED * side);
  const compare = async (examples: readonly Pick<Original, 'small' | 'large'>[]) => {
    const sums = WAYS.map(() => ({ psnr: 0, distance: 0, edges: 0 }));
    for (const { small, large } of examples) {
      const made = drawings(net, small, side);
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
    /** By what was painted: pictures of the set, and what the rule grows. */
    originals: await compare(kept.map(({ original }) => original)),
    grown: await compare(kept.map(({ original: { large }, grown }) => ({ small: grown, large }))),
    wounds: woundFigures(net, kept, side),
    /** Multiply-adds. */
    work: painterWork(net),
  };
  await perceptual.dispose();
  return figures;
}

/** dB of two pictures of bytes. */
export const psnr = (a: Uint8Array, b: Uint8Array): number => -10 * Math.log10(meanSquare(a, b));

/** Bytes as 0…1. */
const unit = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (x) => x / 255);

const edgesIn = (picture: Uint8Array, side: number): number =>
  edgesOf(unit(picture), ENLARGED * side, 4);

/** Erases a disc in the middle of each creature. */
function woundFigures(net: PainterNet, kept: readonly KeptCreature[], side: number) {
  const [all, inner] = [0, 1].map(() => ({ sum: 0, count: 0 }));
  for (const { grown } of kept) {
    const distance = (i: number): number =>
      Math.hypot((i % side) + 0.5 - side / 2, Math.floor(i / side) + 0.5 - side / 2);
    const left = grown.map((value, i) => (distance(i >> 2) <= WOUND ? 0 : value));
    const painted = paintAlone(net, left, side);
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
    /** Mean alpha in cells that a disc of radius `WOUND` has erased. */
    alpha: mean(all),
    /** The same of cells at least one and a half from its rim. */
    inner: mean(inner),
  };
}

/** Radius of a wound, cells. */
const WOUND = 4;
/** Maximum number of rows of the sheet. */
const ROWS = 8;

/** @returns a PNG file: a row for each of some creatures */
export async function drawPainterSheet(
  net: PainterNet,
  kept: readonly KeptCreature[],
  side: number,
): Promise<Buffer> {
  const tile = (rgba: Uint8Array) => ({ side: ENLARGED * side, rgba: straight(rgba) });
  const rows = someOf(kept.length, ROWS).map((i) => {
    const { original, grown } = kept[i];
    const { painted, bicubic, shader } = drawings(net, original.small, side);
    const ofGrown = drawings(net, grown, side);
    const wounded = paintAlone(net, withoutDisc(grown, side), side);
    return [
      ...[original.large, bicubic, shader, painted],
      ...[ofGrown.shader, ofGrown.painted, wounded],
    ].map(tile);
  });
  const columns = [
    ...['original', 'bicubic', 'shader', 'painted'],
    ...['grown: shader', 'grown: painted', 'wounded: painted'],
  ];
  return drawSheet(rows, { scale: 1, columns });
}

/** Cells without a disc to the right of the middle. */
export function withoutDisc(cells: Uint8Array, side: number): Uint8Array {
  const radius = side / 8;
  return cells.map((value, at) => {
    const i = at >> 2;
    const [x, y] = [(i % side) + 0.5 - 0.6 * side, Math.floor(i / side) + 0.5 - side / 2];
    return Math.hypot(x, y) <= radius ? 0 : value;
  });
}
