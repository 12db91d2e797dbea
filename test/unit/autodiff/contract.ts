/**
 * Contract of training back ends: compares each operation and its gradient with known numbers,
 * finite differences and the back end `onnx`.
 */
import type { Compute } from '../../../server/autodiff/compute.ts';
import { gradients } from '../../../server/autodiff/gradients.ts';
import type { Expression } from '../../../server/autodiff/graph.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { expectNear } from '../../support/compare.ts';
import { type Numbers, normals, slopeAt, slopeChecker, upload } from '../training/model/small.ts';

/** Compiles expressions, runs them once and reads all results. */
export async function evaluate(
  compute: Compute,
  outputs: Record<string, Expression>,
  inputs: Record<string, Numbers>,
): Promise<Record<string, Float32Array>> {
  const program = await compute.compile(outputs);
  const values = upload(compute, inputs);
  const results = await program.run(values);
  const read: Record<string, Float32Array> = {};
  for (const [name, value] of Object.entries(results)) {
    read[name] = Float32Array.from(await compute.read(value));
  }
  compute.free(...Object.values(values), ...Object.values(results));
  await program.dispose();
  return read;
}

interface Case {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly map?: boolean }[];
  readonly build: (...inputs: Expression[]) => Expression;
}

const map = (...shape: number[]) => ({ shape, map: true });
const plain = (...shape: number[]) => ({ shape });

const OPERATIONS: Record<string, Case> = {
  'elu, tanh, sigmoid, softplus': {
    inputs: [map(2, 3, 4, 5)],
    build: (x) => g.add(g.add(g.elu(x), g.tanh(x)), g.multiply(g.sigmoid(x), g.softplus(x))),
  },
  'exp, log, sqrt, negative': {
    inputs: [plain(3, 4)],
    build: (x) => g.subtract(g.log(g.add(g.exp(x), 1)), g.negative(g.sqrt(g.add(g.square(x), 5)))),
  },
  'relu, maximum, minimum, where': {
    inputs: [plain(4, 5), plain(4, 5)],
    build: (x, y) =>
      g.add(
        g.multiply(g.relu(x), g.maximum(x, y)),
        g.where(g.greater(x, y), g.minimum(x, 0.3), g.clip(y, -0.5, 0.7)),
      ),
  },
  'broadcasting a channel over a map': {
    inputs: [map(2, 3, 2, 4), plain(4), plain(2, 4)],
    build: (x, bias, each) =>
      g.divide(
        g.multiply(
          g.add(x, g.reshapeToMap(bias, [1, 1, 1, 4])),
          g.subtract(g.reshapeToMap(each, [2, 1, 1, 4]), x),
        ),
        3,
      ),
  },
  'division by broadcast': {
    inputs: [plain(2, 3), plain(2, 1)],
    build: (x, y) => g.divide(x, g.add(g.square(y), 1)),
  },
  'expand and sum': {
    inputs: [plain(2, 3)],
    build: (x) => g.sum(g.square(g.expand(g.reshapeToMap(x, [2, 1, 1, 3]), [2, 2, 2, 3])), [1, 2]),
  },
  'log-sum-exp': {
    inputs: [plain(3, 5)],
    build: (x) => {
      const top = g.max(x, [1]);
      return g.add(g.log(g.sum(g.exp(g.subtract(x, top)), [1])), top);
    },
  },
  'reshape between rows and maps': {
    inputs: [map(2, 3, 2, 4)],
    build: (x) => g.square(g.reshapeToMap(g.reshape(x, [2, 24]), [2, 2, 3, 4])),
  },
  'slice and pad': {
    inputs: [map(2, 2, 2, 5)],
    build: (x) => g.add(g.pad(g.square(g.slice(x, 1, 4)), 2, 6), 1),
  },
  'matrix product': { inputs: [plain(3, 4), plain(4, 5)], build: (a, b) => g.matMul(a, b) },
  'matrix product, transposed': {
    inputs: [plain(4, 3), plain(5, 4)],
    build: (a, b) => g.matMul(a, b, { transposeA: true, transposeB: true }),
  },
  pointwise: { inputs: [map(2, 3, 3, 4), plain(4, 6)], build: (x, w) => g.pointwise(x, w) },
  'pointwise, transposed': {
    inputs: [map(2, 3, 3, 4), plain(6, 4)],
    build: (x, w) => g.pointwise(x, w, true),
  },
  'pointwise, weights of each sample': {
    inputs: [map(2, 3, 3, 4), plain(2, 4, 6)],
    build: (x, w) => g.pointwise(x, w),
  },
  'pointwise, weights of each sample, transposed': {
    inputs: [map(2, 3, 3, 4), plain(2, 6, 4)],
    build: (x, w) => g.pointwise(x, w, true),
  },
  'convolution 3×3': {
    inputs: [map(2, 5, 4, 3), plain(3, 3, 3, 2)],
    build: (x, w) => g.conv(x, w, { pad: 1 }),
  },
  'convolution 5×5, stride 2, even side': {
    inputs: [map(2, 6, 8, 2), plain(5, 5, 2, 3)],
    build: (x, w) => g.conv(x, w, { pad: 2, stride: 2 }),
  },
  'convolution 5×5, stride 2, odd side': {
    inputs: [map(1, 7, 7, 2), plain(5, 5, 2, 3)],
    build: (x, w) => g.conv(x, w, { pad: 2, stride: 2 }),
  },
  'transposed convolution 5×5': {
    inputs: [map(2, 3, 4, 3), plain(5, 5, 2, 3)],
    build: (y, w) => g.convInput(y, w, [2, 6, 8, 2], { pad: 2, stride: 2 }),
  },
  'upsample and pool': {
    inputs: [map(2, 2, 4, 3)],
    build: (x) => g.add(g.upsample(g.square(x)), g.upsample(g.sumPool(g.upsample(x)))),
  },
};

/** Defines the tests of one back end. */
export function describeComputeContract(name: string, start: () => Promise<Compute>): void {
  describe(`training back end ${name}`, () => {
    let compute: Compute;
    const onnx = createOnnxCompute({ threads: 1 });
    beforeAll(async () => {
      compute = await start();
    });
    afterAll(() => compute?.dispose());

    for (const [title, { inputs, build }] of Object.entries(OPERATIONS)) {
      it(`differentiates: ${title}`, async () => {
        const names = inputs.map((_, i) => `x${i}`);
        const given = Object.fromEntries(
          inputs.map(({ shape }, i) => [names[i], normals(shape, i + 1)]),
        );
        const leaves = inputs.map(({ shape, map }, i) =>
          map ? g.inputMap(names[i], shape) : g.input(names[i], shape),
        );
        const result = build(...leaves);
        // Weigh the sum, so that errors do not cancel.
        const weights = normals(result.shape, 99);
        const seed = result.map
          ? g.inputMap('weights', result.shape)
          : g.input('weights', result.shape);
        const slopes = gradients([{ result, change: seed }], leaves);
        const program: Record<string, Expression> = { result };
        slopes.forEach((slope, i) => {
          expect(slope.shape).toEqual(inputs[i].shape);
          program[`slope${i}`] = slope;
        });
        const all = await evaluate(compute, program, { ...given, weights });
        const reference = await evaluate(onnx, program, { ...given, weights });
        for (const [part, wanted] of Object.entries(reference)) expectNear(all[part], wanted, 1e-4);
        const only = await compute.compile({ result });
        const check = slopeChecker();
        for (const [i, name] of names.entries()) {
          const tensor = given[name];
          const objective = async (data: Float32Array): Promise<number> => {
            const values = upload(compute, { ...given, [name]: { ...tensor, data } });
            const { result: value } = await only.run(values);
            const found = await compute.read(value);
            compute.free(value, ...Object.values(values));
            return found.reduce((total, x, k) => total + x * weights.data[k], 0);
          };
          const { length } = tensor.data;
          for (let at = 0; at < length; at += Math.ceil(length / 12)) {
            const wanted = await slopeAt(tensor, at, objective, 1e-2);
            check.compare(name, at, all[`slope${i}`][at], wanted);
          }
        }
        expect(check.wrong()).toEqual([]);
        // Slices and rectifiers ignore some numbers.
        expect(check.steep()).toBeGreaterThan(0.5);
        await only.dispose();
      });
    }

    it('repeats cells as [[1,2],[3,4]] → blocks', async () => {
      const x = Float32Array.from([1, 2, 3, 4]);
      const { y } = await evaluate(
        compute,
        { y: g.upsample(g.inputMap('x', [1, 2, 2, 1])) },
        { x: { shape: [1, 2, 2, 1], data: x } },
      );
      expect([...y]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    });
  });
}
