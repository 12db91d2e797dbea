/**
 * Enlarges and reduces pictures without a painter, for comparison with painted pictures and as
 * material for examples. All pixels are premultiplied RGBA.
 */
import { INPUTS, type PainterNet, RAMP } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import { smoothstep } from '../../../shared/smoothstep.ts';

/** A painter net that adds nothing to the enlarged cells. */
const NOTHING = [
  { inputs: INPUTS, outputs: 4, kernel: new Float32Array(INPUTS * 4), bias: new Float32Array(4) },
  { inputs: 4, outputs: 4, kernel: new Float32Array(16), bias: new Float32Array(4) },
  { inputs: 4, outputs: RAMP, kernel: new Float32Array(4 * RAMP), bias: new Float32Array(RAMP) },
] as const satisfies PainterNet;

/**
 * Enlarges cells by Catmull-Rom interpolation of premultiplied RGBA, clamped.
 *
 * @param cells [side, side, 4], 0…255
 * @param scale pixels per cell
 * @returns [scale·side, scale·side, 4]
 */
export function enlarged(cells: Uint8Array, side: number, scale: number): Uint8Array {
  const owners = new Uint8Array(side * side);
  const pixels = paint({ cells, owners, width: side, height: side, net: NOTHING, scale });
  return new Uint8Array(pixels.buffer);
}

const SIZE = 4;
/**
 * Sigma, in cells, of the blur that detects crumbs (bits too small to be a body), and number of its
 * taps on each side.
 */
const TIGHT = 1.15;
const TAPS = 5;

/** Samples [4] values into `to` at a position in cells, with cell corners at integers. */
type Sampler = (x: number, y: number, to: Float32Array) => void;

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/**
 * Enlarges cells like the scene's shader without a painter: `tissue` in
 * `client/render/shaders/scene.ts`, without light, relief and cell walls.
 *
 * @param cells [side, side, 4] premultiplied, 0…255
 * @param scale pixels per cell
 * @returns [scale·side, scale·side, 4]
 */
export function shaderEnlarged(cells: Uint8Array, side: number, scale: number): Uint8ClampedArray {
  const numbers = Float32Array.from(cells, (value) => value / 255);
  const rounded = separable(numbers, side, spline);
  const sharp = separable(numbers, side, catmullRom);
  const tight = separable(blurred(numbers, side), side, linear);
  const [r, s, t] = [0, 1, 2].map(() => new Float32Array(SIZE));
  const row = side * scale;
  const pixels = new Uint8ClampedArray(row * row * SIZE);
  const soft = mix(0.3, 0.17, smoothstep(5, 26, scale));
  for (let i = 0; i < row * row; i++) {
    const [x, y] = [((i % row) + 0.5) / scale, (Math.floor(i / row) + 0.5) / scale];
    rounded(x, y, r);
    if (r[3] < 0.012) continue;
    sharp(x, y, s);
    tight(x, y, t);
    const whole = mix(r[3], s[3], 0.72);
    let a = Math.min(1, Math.max(0, mix(r[3], s[3], 0.5)));
    a *= smoothstep(0.1, 0.3, t[3]);
    const alpha = mix(smoothstep(0.46 - soft, 0.46 + soft, a), a, 0.16);
    for (let c = 0; c < 3; c++) {
      const colour = mix(r[c], s[c], 0.72) / Math.max(whole, 0.02);
      pixels[SIZE * i + c] = 255 * alpha * Math.min(1, Math.max(0, colour));
    }
    pixels[SIZE * i + 3] = 255 * alpha;
  }
  return pixels;
}

/**
 * Returns weights of the four cells around a position, at offsets −1, 0, 1 and 2 from the nearest
 * cell centre at or before the position.
 */
type Kernel = (f: number) => readonly [number, number, number, number];

const linear: Kernel = (f) => [0, 1 - f, f, 0];
const spline: Kernel = (f) => {
  const g = 1 - f;
  const [w0, w3] = [(g * g * g) / 6, (f * f * f) / 6];
  const w1 = (4 - 6 * f * f + 3 * f * f * f) / 6;
  return [w0, w1, 1 - w0 - w1 - w3, w3];
};
const catmullRom: Kernel = (f) => [
  f * (-0.5 + f * (1 - 0.5 * f)),
  1 + f * f * (-2.5 + 1.5 * f),
  f * (0.5 + f * (2 - 1.5 * f)),
  f * f * (-0.5 + 0.5 * f),
];

function separable(numbers: Float32Array, side: number, kernel: Kernel): Sampler {
  const clamped = (i: number): number => Math.min(side - 1, Math.max(0, i));
  return (x, y, to) => {
    const [i, j] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [across, down] = [kernel(x - 0.5 - i), kernel(y - 0.5 - j)];
    to.fill(0);
    for (let v = 0; v < 4; v++) {
      for (let u = 0; u < 4; u++) {
        const weight = across[u] * down[v];
        const from = SIZE * (clamped(j + v - 1) * side + clamped(i + u - 1));
        for (let c = 0; c < SIZE; c++) to[c] += weight * numbers[from + c];
      }
    }
  };
}

/** Blurs along both axes with a Gaussian. Beyond the edge, cells of the edge are repeated. */
function blurred(numbers: Float32Array, side: number): Float32Array {
  const taps = Array.from({ length: 2 * TAPS + 1 }, (_, k) =>
    Math.exp(-((k - TAPS) ** 2) / (2 * TIGHT * TIGHT)),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const pass = (from: Float32Array, dx: number, dy: number): Float32Array => {
    const to = new Float32Array(from.length);
    for (let i = 0; i < side * side; i++) {
      taps.forEach((tap, k) => {
        const x = Math.min(side - 1, Math.max(0, (i % side) + dx * (k - TAPS)));
        const y = Math.min(side - 1, Math.max(0, Math.floor(i / side) + dy * (k - TAPS)));
        for (let c = 0; c < SIZE; c++) {
          to[SIZE * i + c] += (tap / total) * from[SIZE * (y * side + x) + c];
        }
      });
    }
    return to;
  };
  return pass(pass(numbers, 1, 0), 0, 1);
}

/**
 * sinc(x)·sinc(x / 2) for |x| < 2, else 0: the kernel that also makes the pictures of training
 * sets.
 */
const lanczos2 = (x: number): number => {
  if (x === 0) return 1;
  const p = Math.PI * x;
  return Math.abs(x) >= 2 ? 0 : (2 * Math.sin(p) * Math.sin(p / 2)) / (p * p);
};

/**
 * Reduces a picture by a whole factor, with a Lanczos kernel of two lobes.
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
