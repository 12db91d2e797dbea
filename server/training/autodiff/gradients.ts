/** Reverse-mode differentiation of expressions; gradients are expressions too. */
import type { Expression, Operation, OperationKind, OperationOf } from './graph.ts';
import * as g from './graph.ts';

/**
 * Gradients of Σ over `seeds` of ⟨change, result⟩.
 *
 * @param seeds results with their changes (cotangents), of the result's shape; default: ones
 * @param wanted expressions to differentiate with respect to
 * @returns one gradient for each of `wanted`, of its shape
 */
export function gradients(
  seeds: readonly { result: Expression; change?: Expression }[],
  wanted: readonly Expression[],
): Expression[] {
  const order = g.inOrder(seeds.map(({ result }) => result));
  const needed = new Set<Expression>(wanted);
  for (const node of order) if (node.inputs.some((child) => needed.has(child))) needed.add(node);

  const changes = new Map<Expression, Expression>();
  const accumulate = (node: Expression, change: Expression): void => {
    const known = changes.get(node);
    changes.set(node, known ? g.add(known, change) : change);
  };
  for (const { result, change } of seeds) {
    accumulate(result, change ?? g.expand(g.constant(1), result.shape, result.map));
  }
  for (const node of order.reverse()) {
    const change = changes.get(node);
    if (!change || !needed.has(node)) continue;
    const pull = PULLS[node.operation.kind] as Pull<Operation>;
    node.inputs.forEach((child, i) => {
      if (!needed.has(child)) return;
      const pulled = pull(node, change, i, node.operation);
      if (pulled) accumulate(child, g.sumTo(pulled, child.shape));
    });
  }
  return wanted.map((node) => changes.get(node) ?? g.expand(g.constant(0), node.shape, node.map));
}

/** The change of input i, given the change of the result; `undefined` if there is no gradient. */
type Pull<O extends Operation> = (
  node: Expression,
  change: Expression,
  i: number,
  operation: O,
) => Expression | undefined;
type Pulls = { [K in OperationKind]: Pull<Extract<Operation, OperationOf<K>>> };

const none = (): undefined => undefined;

const PULLS: Pulls = {
  input: none,
  constant: none,
  unary: (node, change, _, operation) => {
    const x = node.inputs[0];
    switch (operation.function) {
      case 'abs':
        return g.multiply(change, g.sign(x));
      case 'elu':
        // The slope is eˣ = y + 1 below zero and 1 above.
        return g.multiply(change, g.add(g.minimum(node, 0), 1));
      case 'exp':
        return g.multiply(change, node);
      case 'log':
        return g.divide(change, x);
      case 'negative':
        return g.negative(change);
      case 'relu':
        return g.multiply(change, g.greater(x, 0));
      case 'sigmoid':
        return g.multiply(change, g.multiply(node, g.subtract(g.constant(1), node)));
      case 'sign':
        return undefined;
      case 'softplus':
        return g.multiply(change, g.sigmoid(x));
      case 'sqrt':
        return g.divide(change, g.multiply(node, 2));
      case 'tanh':
        return g.multiply(change, g.subtract(g.constant(1), g.square(node)));
    }
  },
  binary: (node, change, i, operation) => {
    const [a, b] = node.inputs;
    const own = node.inputs[i];
    const other = node.inputs[1 - i];
    switch (operation.function) {
      case 'add':
        return change;
      case 'subtract':
        return i === 0 ? change : g.negative(change);
      case 'multiply':
        return g.multiply(change, other);
      case 'divide':
        return i === 0 ? g.divide(change, b) : g.negative(g.divide(g.multiply(change, node), b));
      case 'maximum':
        // If both are equal, the first gets the gradient.
        return g.multiply(change, i === 0 ? notGreater(other, own) : g.greater(own, other));
      case 'minimum':
        return g.multiply(change, i === 0 ? notGreater(own, other) : g.greater(other, own));
      case 'greater':
        return undefined;
    }
    throw new RangeError(`no gradient of ${operation.function} for [${a.shape}], [${b.shape}]`);
  },
  where: ({ inputs: [condition] }, change, i) => {
    const zero = g.constant(0);
    if (i === 0) return undefined;
    return i === 1 ? g.where(condition, change, zero) : g.where(condition, zero, change);
  },
  clip: (node, change) => g.multiply(change, g.within(node.inputs[0], node)),
  within: none,
  expand: (_, change) => change,
  sum: (node, change) => g.expand(change, node.inputs[0].shape),
  max: none,
  reshape: (node, change) => {
    const [x] = node.inputs;
    return x.map ? g.reshapeToMap(change, x.shape) : g.reshape(change, x.shape);
  },
  slice: (node, change, _, { from }) => {
    const { shape } = node.inputs[0];
    return g.pad(change, from, shape[shape.length - 1]);
  },
  pad: (node, change, _, { from }) => {
    const { shape } = node.inputs[0];
    return g.slice(change, from, from + shape[shape.length - 1]);
  },
  matMul: ({ inputs: [a, b] }, change, i, { transposeA, transposeB }) => {
    if (i === 0) {
      return transposeA
        ? g.matMul(b, change, { transposeA: transposeB, transposeB: true })
        : g.matMul(change, b, { transposeB: !transposeB });
    }
    return transposeB
      ? g.matMul(change, a, { transposeA: true, transposeB: transposeA })
      : g.matMul(a, change, { transposeA: !transposeA });
  },
  pointwise: ({ inputs: [x, weights] }, change, i, { transposed }) => {
    if (i === 0) return g.pointwise(change, weights, !transposed);
    return transposed ? g.pointwiseFilter(change, x) : g.pointwiseFilter(x, change);
  },
  pointwiseFilter: ({ inputs: [x, y] }, change, i) =>
    i === 0 ? g.pointwise(y, change, true) : g.pointwise(x, change),
  pointwiseEach: ({ inputs: [x, weights] }, change, i, { transposed }) => {
    if (i === 0) return g.pointwiseEach(change, weights, !transposed);
    return transposed ? g.pointwiseEachFilter(change, x) : g.pointwiseEachFilter(x, change);
  },
  pointwiseEachFilter: ({ inputs: [x, y] }, change, i) =>
    i === 0 ? g.pointwiseEach(y, change, true) : g.pointwiseEach(x, change),
  conv: ({ inputs: [x, weights] }, change, i, { size, ...options }) =>
    i === 0
      ? g.convInput(change, weights, x.shape, options)
      : g.convFilter(x, change, size, options),
  convInput: ({ inputs: [y, weights] }, change, i, { size, ...options }) =>
    i === 0 ? g.conv(change, weights, options) : g.convFilter(change, y, size, options),
  convFilter: ({ inputs: [x, y] }, change, i, options) =>
    i === 0 ? g.convInput(y, change, x.shape, options) : g.conv(x, change, options),
  upsample: (_, change) => g.sumPool(change),
  sumPool: (_, change) => g.upsample(change),
};

const notGreater = (a: Expression, b: Expression): Expression =>
  g.subtract(g.constant(1), g.greater(a, b));
