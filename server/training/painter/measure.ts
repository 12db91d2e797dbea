/** Measures a painter on creatures that it was not trained on, against their originals. */
import { type PainterNet, painterWork } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { edgesOf } from '../evaluate/picture.ts';
import { enlarged } from './enlarge.ts';
import { ENLARGED, type Original } from './originals.ts';
import { openPerceptual } from './perceptual.ts';
import { shaderEnlarged } from './shader-enlargement.ts';

/** A creature that a painter is measured by. */
export interface KeptCreature {
  readonly original: Original;
  /** What the rule grows of it: [side, side, 4] premultiplied RGBA, 0…255. */
  readonly grown: Uint8Array;
}

/** Ways to make a picture of cells. */
export const WAYS = ['painted', 'bicubic', 'shader'] as const;
type Way = (typeof WAYS)[number];

/** Draws cells of a single creature, without owners of others, in each way. */
export function drawings(
  net: PainterNet,
  cells: Uint8Array,
  side: number,
): Record<Way, Uint8Array> {
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
export function psnr(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] - b[i]) / 255) ** 2;
  return -10 * Math.log10(sum / a.length);
}

const edgesIn = (picture: Uint8Array, side: number): number =>
  edgesOf(
    Float32Array.from(picture, (x) => x / 255),
    ENLARGED * side,
    4,
  );

/** Erases a disc in the middle of each creature. */
function woundFigures(net: PainterNet, kept: readonly KeptCreature[], side: number) {
  const [all, inner] = [
    { sum: 0, count: 0 },
    { sum: 0, count: 0 },
  ];
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
