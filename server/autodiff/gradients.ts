/**
 * Reverse-mode differentiation of tensor expressions. The resulting gradients are expressions, too.
 */
import type { Expression, Operation, OperationKind, OperationOf } from './graph.ts';
import * as g from './graph.ts';

/**
 * Backpropagates from all `seeds` at once: builds the gradients of one scalar, the sum of the
 * seeds' inner products ⟨change, result⟩.
 *
 * @param seeds expressions (`result`), each with the gradient that flows into the expression
 *   (`change`). `change` has the shape of `result`; if absent, all its elements are 1
 * @param wanted the expressions with respect to which the scalar is differentiated
 * @returns one gradient for each expression in `wanted`, with the shape of that expression
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

/**
 * Builds the gradient with respect to an operation's i-th input. `change` is the gradient with
 * respect to the operation's result. Returns undefined if the input has no gradient.
 */
type Pull<O extends Operation> = (
  node: Expression,
  change: Expression,
  i: number,
  operation: O,
) => Expression | undefined;
type Pulls = { [K in OperationKind]: Pull<Extract<Operation, OperationOf<K>>> };

const none = (): undefined => undefined;
const ONE = g.constant(1);

/**
 * For each function y = f(x), builds the gradient with respect to x from `change`, the gradient
 * with respect to y.
 */
const UNARY: Readonly<
  Record<g.Unary, (x: Expression, y: Expression, change: Expression) => Expression | undefined>
> = {
  // The derivative is eˣ = y + 1 if x < 0, otherwise 1.
  elu: (_, y, change) => g.multiply(change, g.add(g.minimum(y, 0), 1)),
  exp: (_, y, change) => g.multiply(change, y),
  log: (x, _, change) => g.divide(change, x),
  neg: (_, __, change) => g.negative(change),
  relu: (x, _, change) => g.multiply(change, g.greater(x, 0)),
  sigmoid: (_, y, change) => g.multiply(change, g.multiply(y, g.subtract(ONE, y))),
  softplus: (x, _, change) => g.multiply(change, g.sigmoid(x)),
  sqrt: (_, y, change) => g.divide(change, g.multiply(y, 2)),
  tanh: (_, y, change) => g.multiply(change, g.subtract(ONE, g.square(y))),
};

const notGreater = (a: Expression, b: Expression): Expression => g.subtract(ONE, g.greater(a, b));

/**
 * For each function y = f(a, b), builds the gradient with respect to a (if i = 0) or b (if i = 1)
 * from `change`, the gradient with respect to y. If a = b, `maximum` and `minimum` pass the whole
 * gradient to a.
 */
const BINARY: Readonly<
  Record<g.Binary, (y: Expression, change: Expression, i: number) => Expression | undefined>
> = {
  add: (_, change) => change,
  sub: (_, change, i) => (i === 0 ? change : g.negative(change)),
  mul: ({ inputs }, change, i) => g.multiply(change, inputs[1 - i]),
  div: (y, change, i) => {
    const [, b] = y.inputs;
    return i === 0 ? g.divide(change, b) : g.negative(g.divide(g.multiply(change, y), b));
  },
  maximum: ({ inputs: [a, b] }, change, i) =>
    g.multiply(change, i === 0 ? notGreater(b, a) : g.greater(b, a)),
  minimum: ({ inputs: [a, b] }, change, i) =>
    g.multiply(change, i === 0 ? notGreater(a, b) : g.greater(a, b)),
  greater: none,
};

const PULLS: Pulls = {
  input: none,
  constant: none,
  unary: (y, change, _, { function: name }) => UNARY[name](y.inputs[0], y, change),
  binary: (y, change, i, { function: name }) => BINARY[name](y, change, i),
  where: ({ inputs: [condition] }, change, i) => {
    if (i === 0) return undefined;
    const zero = g.constant(0);
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
    const [rows, columns] = transposed ? [change, x] : [x, change];
    return g.pointwiseFilter(rows, columns, g.isEach(weights));
  },
  pointwiseFilter: ({ inputs: [x, y] }, change, i) =>
    i === 0 ? g.pointwise(y, change, true) : g.pointwise(x, change),
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
