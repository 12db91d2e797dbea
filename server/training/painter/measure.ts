/** Measures a painter on creatures that it was not trained on, against their originals. */
import { type PainterNet, painterWork } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { edgesOf } from '../evaluate/picture.ts';
import { enlarged } from './config.ts';
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

/** A picture moved by whole pixels; what comes in is empty. @param pixels [side, side, 4] */
export function shifted(pixels: Uint8Array, side: number, dx: number, dy: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  const width = side - Math.abs(dx);
  for (let y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
    const from = 4 * ((y - dy) * side + Math.max(0, -dx));
    result.set(pixels.subarray(from, from + 4 * width), 4 * (y * side + Math.max(0, dx)));
  }
  return result;
}

/** sinc(x)·sinc(x / 2) within 2, the kernel with which pictures of sets are made. */
const lanczos2 = (x: number): number => {
  if (x === 0) return 1;
  const p = Math.PI * x;
  return Math.abs(x) >= 2 ? 0 : (2 * Math.sin(p) * Math.sin(p / 2)) / (p * p);
};

/**
 * Makes a picture smaller by a whole factor, with Lanczos of two lobes.
 *
 * @param pixels [side, side, 4] premultiplied
 * @returns [side / factor, side / factor, 4], colour never above alpha
 */
export function reduced(pixels: Uint8Array, side: number, factor: number): Uint8Array {
  const small = side / factor;
  const taps = Array.from({ length: 4 * factor }, (_, k) =>
    lanczos2((k + 0.5 - 2 * factor) / factor),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const rows = new Float32Array(small * side * 4);
  for (let y = 0; y < small; y++) {
    taps.forEach((tap, k) => {
      const from = y * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      const [to, at] = [y * side * 4, from * side * 4];
      for (let i = 0; i < side * 4; i++) rows[to + i] += (tap / total) * pixels[at + i];
    });
  }
  const result = new Uint8Array(small * small * 4);
  const sum = new Float32Array(4);
  for (let i = 0; i < small * small; i++) {
    const [x, y] = [i % small, Math.floor(i / small)];
    sum.fill(0);
    taps.forEach((tap, k) => {
      const from = x * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      for (let c = 0; c < 4; c++) sum[c] += (tap / total) * rows[4 * (y * side + from) + c];
    });
    const alpha = Math.min(255, Math.max(0, Math.round(sum[3])));
    for (let c = 0; c < 3; c++) {
      result[4 * i + c] = Math.min(alpha, Math.max(0, Math.round(sum[c])));
    }
    result[4 * i + 3] = alpha;
  }
  return result;
}
