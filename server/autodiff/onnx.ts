/**
 * Compiles tensor expressions to ONNX models for the CPU. The models store maps as [N, C, H, W],
 * the order in which ONNX Runtime's convolutions are fastest.
 */
import { availableParallelism } from 'node:os';
import { ModelWriter, openSession, Tensor } from '../engine/onnx/model.ts';
import { type Compute, inputOf, type Program, type Value, type Values } from './compute.ts';
import * as g from './graph.ts';

class OnnxValue implements Value {
  readonly shape: g.Shape;

  constructor(readonly tensor: Tensor) {
    this.shape = tensor.dims;
  }
}

/**
 * Creates the ONNX Runtime back end. A run blocks the calling thread and uses no other thread,
 * because ONNX Runtime's own multithreading is slow on a busy machine. To run programs in parallel,
 * start several threads, each with its own back end.
 *
 * @param options.threads number of threads to recommend to the caller as `workers`, at least 1; by
 *   default, as many as this process is allowed to use
 */
export function createOnnxCompute({
  threads = availableParallelism(),
}: {
  readonly threads?: number | undefined;
} = {}): Compute {
  return {
    name: 'onnx',
    workers: threads,
    device: `CPU (ONNX Runtime, ${threads} thread${threads === 1 ? '' : 's'})`,
    compile,
    upload: (shape, data) => new OnnxValue(new Tensor('float32', data, shape)),
    read: async (value) => (value as OnnxValue).tensor.data as Float32Array,
    // Nothing to free: the garbage collector frees the memory.
    free: () => {},
    dispose: async () => {},
  };
}

async function compile(outputs: g.Outputs): Promise<Program> {
  const { bytes, inputs } = writeModel(outputs);
  const session = await openSession(bytes);
  return {
    async run(values: Values) {
      const feeds: Record<string, Tensor> = {};
      for (const [name, shape] of inputs) {
        feeds[name] = inputOf<OnnxValue>(values, name, shape).tensor;
      }
      const results = await session.run(feeds);
      const named: Record<string, Value> = {};
      for (const name of Object.keys(outputs)) named[name] = new OnnxValue(results[`out:${name}`]);
      return named;
    },
    dispose: () => session.release(),
  };
}

const channelsFirst = ([n, h, w, c]: g.Shape): number[] => [n, c, h, w];
const physical = ({ shape, map }: g.Expression): g.Shape => (map ? channelsFirst(shape) : shape);
/**
 * For each axis of a map [N, H, W, C], the index of that axis in the stored order, [N, C, H, W].
 */
const AXIS = [0, 2, 3, 1];
const physicalAxes = ({ map }: g.Expression, axes: readonly number[]): readonly number[] =>
  map ? axes.map((axis) => AXIS[axis]) : axes;
const TO_FIRST = { perm: [0, 3, 1, 2] };
const TO_LAST = { perm: [0, 2, 3, 1] };

function writeModel(outputs: g.Outputs): { bytes: Uint8Array; inputs: Map<string, g.Shape> } {
  const model = new ModelWriter();
  const inputs = new Map<string, g.Shape>();
  const names = new Map<g.Expression, string>();
  for (const node of g.inOrder(Object.values(outputs))) {
    if (node.operation.kind === 'input') {
      const { name } = node.operation;
      if (!inputs.has(name)) model.input(name, node.shape);
      inputs.set(name, node.shape);
      names.set(node, node.map ? model.node('Transpose', [name], TO_FIRST) : name);
      continue;
    }
    const write = WRITERS[node.operation.kind] as Writer<g.Operation>;
    const operands = node.inputs.map((child) => names.get(child)!);
    names.set(node, write(model, node, operands, node.operation));
  }
  for (const [name, node] of Object.entries(outputs)) {
    model.output(`out:${name}`, node.shape);
    if (node.map) model.node('Transpose', [names.get(node)!], TO_LAST, `out:${name}`);
    else model.node('Identity', [names.get(node)!], {}, `out:${name}`);
  }
  return { bytes: model.finish(), inputs };
}

type Writer<O extends g.Operation> = (
  model: ModelWriter,
  node: g.Expression,
  operands: readonly string[],
  operation: O,
) => string;
type Writers = {
  [K in Exclude<g.OperationKind, 'input'>]: Writer<Extract<g.Operation, g.OperationOf<K>>>;
};

const FUSED_MATMUL = 'com.microsoft.FusedMatMul';
const FLOAT = 1;
const BOOL = 9;

/**
 * Returns the name of the ONNX operator for a function. Elu is allowed here, but not in models for
 * the engine: how ONNX Runtime rounds Elu depends on the element's position in the batch, and in
 * the engine a patch's result must not depend on the rest of the batch.
 */
const operatorOf = (name: g.Unary | g.Binary): string => {
  if (name === 'maximum' || name === 'minimum') return name === 'maximum' ? 'Max' : 'Min';
  return name[0].toUpperCase() + name.slice(1);
};
/** Reorders a kernel from [k, k, I, O] to [O, I, k, k], the order that ONNX expects. */
const kernelOf = (model: ModelWriter, weights: string): string =>
  model.node('Transpose', [weights], { perm: [3, 2, 0, 1] });
const windowOf = ({ size, stride, pad }: g.Window) => ({
  kernel_shape: [size, size],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
});
/** Sums over axes and removes these axes from the shape. */
const sumOver = (model: ModelWriter, x: string, axes: readonly number[]): string =>
  model.node('ReduceSum', [x, model.integers(axes)], { keepdims: 0 });
/** Reshapes a stored map from [N, C, H, W] to [N, C, H·W]. */
const flatCells = (model: ModelWriter, x: string, { shape: [n, h, w, c] }: g.Expression): string =>
  model.reshape(x, [n, c, h * w]);

const WRITERS: Writers = {
  constant: (model, _, __, { value }) => model.number(value),
  unary: (model, _, operands, { function: name }) => model.node(operatorOf(name), operands),
  binary(model, _, operands, { function: name }) {
    const result = model.node(operatorOf(name), operands);
    return name === 'greater' ? model.node('Cast', [result], { to: FLOAT }) : result;
  },
  where: (model, _, [condition, a, b]) =>
    model.node('Where', [model.node('Cast', [condition], { to: BOOL }), a, b]),
  clip: (model, _, [x], { low, high }) =>
    model.node('Clip', [x, model.number(low), model.number(high)]),
  within: (model, _, operands) =>
    model.node('Cast', [model.node('Equal', operands)], { to: FLOAT }),
  expand: (model, node, [x]) => model.node('Expand', [x, model.integers(physical(node))]),
  sum: (model, node, [x], { axes }) =>
    model.node('ReduceSum', [x, model.integers(physicalAxes(node, axes))]),
  max: (model, node, [x], { axes }) =>
    model.node('ReduceMax', [x], { axes: physicalAxes(node, axes) }),
  reshape(model, node, [x]) {
    const [from] = node.inputs;
    const rows = from.map ? model.node('Transpose', [x], TO_LAST) : x;
    const shaped = model.reshape(rows, node.shape);
    return node.map ? model.node('Transpose', [shaped], TO_FIRST) : shaped;
  },
  slice(model, node, [x], { from }) {
    const axis = node.map ? 1 : node.shape.length - 1;
    const to = from + node.shape[node.shape.length - 1];
    return model.node('Slice', [x, ...[from, to, axis].map((n) => model.integers([n]))]);
  },
  pad(model, node, [x], { from }) {
    const rank = node.shape.length;
    const axis = node.map ? 1 : rank - 1;
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = from;
    pads[rank + axis] = node.shape[rank - 1] - from - node.inputs[0].shape[rank - 1];
    return model.node('Pad', [x, model.integers(pads)]);
  },
  matMul: (model, _, operands, { transposeA, transposeB }) =>
    model.node(FUSED_MATMUL, operands, { transA: Number(transposeA), transB: Number(transposeB) }),
  pointwise(model, node, [x, weights], { transposed }) {
    const product = model.node(FUSED_MATMUL, [weights, flatCells(model, x, node.inputs[0])], {
      transA: Number(!transposed),
      transB: 0,
    });
    return model.reshape(product, physical(node));
  },
  pointwiseFilter(model, node, maps, { each }) {
    const flat = maps.map((map, i) => flatCells(model, map, node.inputs[i]));
    const products = model.node(FUSED_MATMUL, flat, { transA: 0, transB: 1 });
    return each ? products : sumOver(model, products, [0]);
  },
  conv: (model, _, [x, weights], window) =>
    model.node('Conv', [x, kernelOf(model, weights)], windowOf(window)),
  convInput(model, node, [y, weights], { size, stride, pad }) {
    const [, height, width, inputs] = node.shape;
    const outputs = node.inputs[0].shape[3];
    if (stride === 1) {
      // The gradient is a convolution of `y`. Its kernel is `weights`, rotated by 180° and with
      // input and output channels swapped.
      const taps = model.reshape(weights, [size * size, inputs, outputs]);
      const turn = Array.from({ length: size * size }, (_, i) => size * size - 1 - i);
      const turned = model.node('Gather', [taps, model.integers(turn)], { axis: 0 });
      const swapped = model.node('Transpose', [turned], { perm: [1, 2, 0] });
      const kernel = model.reshape(swapped, [inputs, outputs, size, size]);
      return model.node('Conv', [y, kernel], windowOf({ size, stride, pad: size - 1 - pad }));
    }
    const left = (side: number): number => (side + 2 * pad - size) % stride;
    return model.node('ConvTranspose', [y, kernelOf(model, weights)], {
      ...windowOf({ size, stride, pad }),
      output_padding: [left(height), left(width)],
    });
  },
  convFilter(model, node, [x, y], { size, stride, pad }) {
    const [n, , , inputs] = node.inputs[0].shape;
    const [, height, width] = node.inputs[1].shape;
    const padded =
      pad === 0 ? x : model.node('Pad', [x, model.integers([0, 0, pad, pad, 0, 0, pad, pad])]);
    const axes = model.integers([2, 3]);
    const steps = model.integers([stride, stride]);
    const taps: string[] = [];
    for (let j = 0; j < size; j++) {
      for (let i = 0; i < size; i++) {
        const from = model.integers([j, i]);
        const to = model.integers([j + stride * (height - 1) + 1, i + stride * (width - 1) + 1]);
        taps.push(model.node('Slice', [padded, from, to, axes, steps]));
      }
    }
    const joined = taps.length === 1 ? taps[0] : model.node('Concat', taps, { axis: 1 });
    const columns = model.reshape(joined, [n, size * size * inputs, height * width]);
    const changes = flatCells(model, y, node.inputs[1]);
    const products = model.node(FUSED_MATMUL, [columns, changes], { transA: 0, transB: 1 });
    return model.reshape(sumOver(model, products, [0]), node.shape);
  },
  upsample(model, node, [x]) {
    const [n, h, w, c] = node.inputs[0].shape;
    const cells = model.reshape(x, [n, c, h, 1, w, 1]);
    const copies = model.node('Expand', [cells, model.integers([n, c, h, 2, w, 2])]);
    return model.reshape(copies, physical(node));
  },
  sumPool(model, node, [x]) {
    const [n, h, w, c] = node.shape;
    const blocks = model.reshape(x, [n, c, h, 2, w, 2]);
    return sumOver(model, blocks, [3, 5]);
  },
};
