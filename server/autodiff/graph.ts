/**
 * Tensor expressions: the computations of training and of refining latents. Every back end
 * (`compute.ts`) can compile every expression.
 *
 * A tensor is either *plain*, stored in row-major order, or a *map* [N, H, W, C], which a back end
 * may store in any order.
 */

export type Shape = readonly number[];

/** Element-wise functions of one tensor, named as in TensorFlow.js. */
export type Unary =
  | 'elu'
  | 'exp'
  | 'log'
  | 'neg'
  | 'relu'
  | 'sigmoid'
  | 'softplus'
  | 'sqrt'
  | 'tanh';
/** Element-wise functions of two tensors, named as in TensorFlow.js. */
export type Binary = 'add' | 'div' | 'greater' | 'maximum' | 'minimum' | 'mul' | 'sub';

/**
 * Parameters of a convolution, in cells: side of the square kernel, stride, and width of the zero
 * padding on each side.
 */
export interface Window {
  readonly size: number;
  readonly stride: number;
  readonly pad: number;
}

/** Settings of each kind of operation, in addition to the operation's inputs. */
interface Settings {
  input: { readonly name: string };
  constant: { readonly value: number };
  unary: { readonly function: Unary };
  binary: { readonly function: Binary };
  where: unknown;
  clip: { readonly low: number; readonly high: number };
  within: unknown;
  expand: unknown;
  sum: { readonly axes: readonly number[] };
  max: { readonly axes: readonly number[] };
  reshape: unknown;
  slice: { readonly from: number };
  pad: { readonly from: number };
  matMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  pointwise: { readonly transposed: boolean };
  pointwiseFilter: { readonly each: boolean };
  conv: Window;
  convInput: Window;
  convFilter: Window;
  upsample: unknown;
  sumPool: unknown;
}

export type OperationKind = keyof Settings;
export type OperationOf<K extends OperationKind> = { readonly kind: K } & Settings[K];
export type Operation = { [K in OperationKind]: OperationOf<K> }[OperationKind];

export interface Expression {
  readonly operation: Operation;
  readonly inputs: readonly Expression[];
  readonly shape: Shape;
  /**
   * Whether the tensor is a map [N, H, W, C], which a back end may store in any order. If false,
   * the tensor is stored in row-major order.
   */
  readonly map: boolean;
}

/** The expressions that a program computes. Each key is the name of a result. */
export type Outputs = Readonly<Record<string, Expression>>;

const make = (
  operation: Operation,
  inputs: readonly Expression[],
  shape: Shape,
  map = inputs.some((input) => input.map),
): Expression => ({ operation, inputs, shape, map });

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

const OTHER_CHANNELS = 'inputs and weights have different numbers of channels';

function check(holds: boolean, what: string, ...of: Expression[]): void {
  if (!holds) throw new RangeError(`${what}: ${of.map(({ shape }) => `[${shape}]`).join(', ')}`);
}

/** Creates an expression for an input that each run receives as a plain tensor. */
export const input = (name: string, shape: Shape): Expression =>
  make({ kind: 'input', name }, [], shape, false);

/**
 * Creates an expression for an input that each run receives as a map [N, H, W, C] in row-major
 * order.
 */
export const inputMap = (name: string, shape: Shape): Expression =>
  make({ kind: 'input', name }, [], shape, true);

/** Creates a scalar, which broadcasts to every shape. */
export const constant = (value: number): Expression =>
  make({ kind: 'constant', value }, [], [], false);

const unary =
  (name: Unary) =>
  (x: Expression): Expression =>
    make({ kind: 'unary', function: name }, [x], x.shape);

/** Computes x > 0 ? x : eˣ − 1. */
export const elu = unary('elu');
export const exp = unary('exp');
export const log = unary('log');
export const negative = unary('neg');
export const relu = unary('relu');
export const sigmoid = unary('sigmoid');
/** Computes log(1 + eˣ) without overflow. */
export const softplus = unary('softplus');
export const sqrt = unary('sqrt');
export const tanh = unary('tanh');
export const square = (x: Expression): Expression => multiply(x, x);

/**
 * Returns the shape to which the inputs broadcast. Inputs other than scalars must have the same
 * rank; dimensions of size 1 are expanded.
 */
function broadcast(...inputs: Expression[]): Shape {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const shape = new Array<number>(rank).fill(1);
  for (const x of inputs) {
    if (x.shape.length === 0) continue;
    check(x.shape.length === rank, 'ranks differ', ...inputs);
    x.shape.forEach((size, i) => {
      const fits = size === shape[i] || size === 1 || shape[i] === 1;
      check(fits, 'inputs have different shapes', ...inputs);
      shape[i] = Math.max(shape[i], size);
    });
  }
  return shape;
}

const binary =
  (name: Binary) =>
  (a: Expression, b: Expression | number): Expression => {
    const right = typeof b === 'number' ? constant(b) : b;
    return make({ kind: 'binary', function: name }, [a, right], broadcast(a, right));
  };

export const add = binary('add');
export const subtract = binary('sub');
export const multiply = binary('mul');
export const divide = binary('div');
export const maximum = binary('maximum');
export const minimum = binary('minimum');
/** Computes, for each element, 1 if a > b, else 0. Has no gradient. */
export const greater = binary('greater');
/** Takes each element from `a` if the condition is 1 for this element, and from `b` if it is 0. */
export const where = (condition: Expression, a: Expression, b: Expression): Expression =>
  make({ kind: 'where' }, [condition, a, b], broadcast(condition, a, b));
/**
 * Limits each element to the range from `low` to `high`. The gradient is zero outside this range.
 */
export const clip = (x: Expression, low: number, high: number): Expression =>
  make({ kind: 'clip', low, high }, [x], x.shape);
/**
 * Returns 1 for each element that clipping left unchanged (x = clipped), else 0. Has no gradient.
 */
export const within = (x: Expression, clipped: Expression): Expression =>
  make({ kind: 'within' }, [x, clipped], x.shape);

/** Broadcasts a scalar, or the dimensions of size 1, to a shape. */
export function expand(x: Expression, shape: Shape, map = x.map): Expression {
  return `${x.shape}` === `${shape}` && map === x.map
    ? x
    : make({ kind: 'expand' }, [x], shape, map);
}

function reduce(kind: 'sum' | 'max', x: Expression, axes: readonly number[]): Expression {
  const left = axes.filter((axis) => x.shape[axis] !== 1);
  if (left.length === 0) return x;
  const shape = x.shape.map((size, axis) => (left.includes(axis) ? 1 : size));
  return make({ kind, axes: left } as Operation, [x], shape);
}

/** Sums over the given axes, which remain in the result with size 1. */
export const sum = (
  x: Expression,
  axes: readonly number[] = x.shape.map((_, i) => i),
): Expression => reduce('sum', x, axes);
/**
 * Computes the maximum over the given axes, which remain in the result with size 1. Has no
 * gradient.
 */
export const max = (x: Expression, axes: readonly number[]): Expression => reduce('max', x, axes);

/**
 * Backpropagates through a broadcast: sums over the dimensions that the broadcast expanded.
 *
 * @param x gradient with respect to the result of the broadcast
 * @param shape shape before the broadcast
 */
export function sumTo(x: Expression, shape: Shape): Expression {
  const axes = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== (shape[i] ?? 1));
  return sum(x, axes);
}

/** Changes the shape of a tensor, but not the row-major order of its values. */
export function reshape(x: Expression, shape: Shape, map = false): Expression {
  check(sizeOf(x.shape) === sizeOf(shape), `cannot take the shape [${shape}]`, x);
  return make({ kind: 'reshape' }, [x], shape, map);
}
/** Reshapes a row-major tensor to a map [N, H, W, C]. */
export const reshapeToMap = (x: Expression, shape: Shape): Expression => reshape(x, shape, true);

const last = ({ shape }: Expression): number => shape[shape.length - 1];

/** Selects the channels `from` (inclusive) to `to` (exclusive) of the last axis. */
export function slice(x: Expression, from: number, to: number): Expression {
  check(from >= 0 && from < to && to <= last(x), `has no channels ${from}…${to}`, x);
  return make({ kind: 'slice', from }, [x], [...x.shape.slice(0, -1), to - from]);
}
/**
 * Pads the last axis with zeros to `channels` channels: `from` zeros before x, the rest after x.
 * This is the gradient of `slice`.
 */
export const pad = (x: Expression, from: number, channels: number): Expression =>
  make({ kind: 'pad', from }, [x], [...x.shape.slice(0, -1), channels]);

/**
 * Computes the product [M, K] · [K, N] of two plain matrices.
 *
 * @param options.transposeA whether `a` is stored as [K, M]
 * @param options.transposeB whether `b` is stored as [N, K]
 */
export function matMul(
  a: Expression,
  b: Expression,
  { transposeA = false, transposeB = false } = {},
): Expression {
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [k2, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  check(!a.map && !b.map && k === k2, 'the inner sizes of the matrices differ', a, b);
  return make({ kind: 'matMul', transposeA, transposeB }, [a, b], [m, n]);
}

/**
 * Whether each sample has its own weights, [N, I, O], instead of weights [I, O] for all samples.
 */
export const isEach = (weights: Expression): boolean => weights.shape.length === 3;

/**
 * Applies a 1×1 convolution to a map [N, H, W, I].
 *
 * @param weights [I, O] for all samples, or [N, I, O] with separate weights for each sample
 * @param transposed whether the weights are stored as [O, I] or [N, O, I] instead
 */
export function pointwise(x: Expression, weights: Expression, transposed = false): Expression {
  const [a, b] = weights.shape.slice(-2);
  const [i, o] = transposed ? [b, a] : [a, b];
  const fits = !isEach(weights) || weights.shape[0] === x.shape[0];
  check(x.map && i === last(x) && fits, OTHER_CHANNELS, x, weights);
  return make({ kind: 'pointwise', transposed }, [x, weights], [...x.shape.slice(0, 3), o]);
}
/**
 * Builds the gradient of `pointwise` with respect to its weights: sums of outer products of `x` and
 * `change` over cells.
 *
 * @param change gradient with respect to the result of `pointwise`
 * @param each if true, sums over each sample separately, [N, I, O]; if false, over all samples, [I,
 *   O]
 */
export function pointwiseFilter(x: Expression, change: Expression, each: boolean): Expression {
  const shape = [last(x), last(change)];
  const own = each ? [x.shape[0], ...shape] : shape;
  return make({ kind: 'pointwiseFilter', each }, [x, change], own, false);
}

export interface ConvOptions {
  readonly stride?: number;
  /** Width of the zero padding on each of the four sides, in cells. Default 0. */
  readonly pad?: number;
}

/** Convolves a map [N, H, W, I] with weights [k, k, I, O], without flipping the kernel. */
export function conv(
  x: Expression,
  weights: Expression,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Expression {
  const [n, h, w, channels] = x.shape;
  const [size, , i, o] = weights.shape;
  check(x.map && i === channels, OTHER_CHANNELS, x, weights);
  const side = (s: number): number => Math.floor((s + 2 * pad - size) / stride) + 1;
  return make({ kind: 'conv', size, stride, pad }, [x, weights], [n, side(h), side(w), o]);
}
/**
 * Builds the gradient of `conv` with respect to its input: a transposed convolution.
 *
 * @param change gradient with respect to the output of `conv`, [N, h, w, O]
 * @param weights [k, k, I, O]
 * @param shape shape of the input of `conv`, [N, H, W, I]
 */
export const convInput = (
  change: Expression,
  weights: Expression,
  shape: Shape,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Expression =>
  make({ kind: 'convInput', size: weights.shape[0], stride, pad }, [change, weights], shape);
/** Builds the gradient of `conv` with respect to its weights, [k, k, I, O]. */
export const convFilter = (
  x: Expression,
  change: Expression,
  size: number,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Expression =>
  make(
    { kind: 'convFilter', size, stride, pad },
    [x, change],
    [size, size, last(x), last(change)],
    false,
  );

/** Doubles the height and width of a map by copying every cell to 2×2 cells. */
export const upsample = (x: Expression): Expression =>
  make({ kind: 'upsample' }, [x], [x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]]);
/**
 * Sums each 2×2 block of cells, which halves the height and width of a map. This is the gradient of
 * `upsample`.
 */
export const sumPool = (x: Expression): Expression =>
  make({ kind: 'sumPool' }, [x], [x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]]);

/**
 * Lists the roots and all their direct and indirect inputs. Each expression comes after its inputs.
 */
export function inOrder(roots: Iterable<Expression>): Expression[] {
  const order: Expression[] = [];
  const seen = new Set<Expression>();
  const stack: { at: Expression; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ at: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const child = top.at.inputs[top.next++];
      if (!child) {
        order.push(top.at);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ at: child, next: 0 });
      }
    }
  }
  return order;
}
