/**
 * A 3×3 convolution that needs only half the usual multiplications. Vertically, it uses Winograd's
 * minimal filtering F(4, 3) on tiles of four rows, with the interpolation points 0, ±1, ±2 and ∞
 * (Lavin and Gray 2016, arXiv 1509.09308, section 4.2). Horizontally, it is an ordinary
 * convolution.
 *
 * The transforms use operations that ONNX Runtime computes fast: depthwise convolutions and a small
 * matrix product.
 */
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { ModelWriter } from './model.ts';

/**
 * Winograd's matrix G, which transforms three values in a column of the kernel to six, one per
 * interpolation point.
 */
export const OF_KERNEL = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

/** Number of rows in a tile. */
export const TILE = 4;

/**
 * Winograd's matrix Bᵀ, which transforms six rows of the image (a tile, one row above and one row
 * below) to six rows, one per interpolation point.
 */
const OF_IMAGE = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
/**
 * Winograd's matrix Aᵀ, which transforms six rows of products, one per interpolation point, to the
 * four rows of a tile.
 */
const BACK = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];
const POINTS = OF_IMAGE.length;

/**
 * Adds a 3×3 convolution, computed in tiles of four rows, to a model. Values outside the image are
 * zero.
 *
 * @param image name of a tensor [1, in, s, s], where s is a multiple of 4
 * @param kernel [3, 3, in, out]
 * @returns name of a tensor [4, out × s²/4]. Its i-th row holds the i-th rows of all tiles
 */
export function convolveTiles(model: ModelWriter, image: string, kernel: Float32Tensor): string {
  const [inputs, outputs] = kernel.shape.slice(-2);
  const points = OF_IMAGE.map((rows) => {
    const each = Float32Array.from({ length: inputs * POINTS }, (_, i) => rows[i % POINTS]);
    return model.node('Conv', [image, model.weight([inputs, 1, POINTS, 1], each)], {
      kernel_shape: [POINTS, 1],
      strides: [TILE, 1],
      pads: [1, 0, 1, 0],
      group: inputs,
    });
  });
  const products = model.node(
    'Conv',
    [
      model.node('Concat', points, { axis: 1 }),
      model.weight([POINTS * outputs, inputs, 1, 3], kernelsOf(kernel.data, inputs, outputs)),
    ],
    { kernel_shape: [1, 3], pads: [0, 1, 0, 1], group: POINTS },
  );
  const back = model.weight([TILE, POINTS], Float32Array.from(BACK.flat()));
  return model.node('MatMul', [back, model.reshape(products, [POINTS, -1])]);
}

/**
 * Transforms a kernel [3, 3, in, out] to Winograd's interpolation points, [points, out, in, 3], in
 * double precision.
 */
function kernelsOf(kernel: Float32Array, inputs: number, outputs: number): Float32Array {
  const result = new Float32Array(POINTS * outputs * inputs * 3);
  let at = 0;
  for (const rows of OF_KERNEL) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        for (let x = 0; x < 3; x++) {
          result[at++] = rows.reduce(
            (sum, factor, y) => sum + factor * kernel[((3 * y + x) * inputs + i) * outputs + o],
            0,
          );
        }
      }
    }
  }
  return result;
}
