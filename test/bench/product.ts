/** How fast a runtime multiplies big matrices: what it could do at best on this machine. */
import { availableParallelism } from 'node:os';
import type { BackendName } from '../../server/engine/backend.ts';
import { ModelWriter } from '../../server/engine/onnx/model.ts';

const SIDE = 1024;
export const PRODUCT_FLOP = 2 * SIDE ** 3;

export interface Product {
  run(): Promise<void>;
  /** Of one run, in those of a product of `SIDE`. */
  readonly products: number;
}

const PRODUCTS: Readonly<Record<BackendName, () => Promise<Product>>> = {
  webgpu: inWebgpu,
  // Its kernel multiplies no big matrices.
  native: inOnnx,
  onnx: inOnnx,
  tensorflow: inTfjs,
};

/** @param backend one that has been started */
export const createProduct = (backend: BackendName): Promise<Product> => PRODUCTS[backend]();

const matrix = (side = SIDE): Float32Array =>
  Float32Array.from({ length: side ** 2 }, () => Math.random());

async function inOnnx(): Promise<Product> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const writer = new ModelWriter();
  writer.input('a', [SIDE, SIDE]);
  writer.output('c', [SIDE, SIDE]);
  // One factor is constant, as weights are: the runtime may lay it out as it likes.
  writer.node('MatMul', ['a', writer.weight([SIDE, SIDE], matrix())], {}, 'c');
  const session = await InferenceSession.create(writer.finish(), {
    executionProviders: ['cpu'],
    intraOpNumThreads: availableParallelism(),
    interOpNumThreads: 1,
  });
  const feeds = { a: new Tensor('float32', matrix(), [SIDE, SIDE]) };
  const fetches = { c: new Tensor('float32', new Float32Array(SIDE ** 2), [SIDE, SIDE]) };
  return {
    products: 1,
    async run() {
      await session.run(feeds, fetches);
    },
  };
}

/** In 32 bits, by TensorFlow.js's kernel, as one takes it who has none of his own. */
async function inWebgpu(): Promise<Product> {
  const tf = await import('@tensorflow/tfjs-core');
  const { startDevice } = await import('../../server/autodiff/webgpu/webgpu.ts');
  const { gpu } = await startDevice();
  // A GPU is kept busy for long enough that starting work on it does not count; a CPU that poses as
  // one is spared that.
  const [side, count] = gpu ? [4 * SIDE, 8] : [SIDE / 2, 1];
  const [a, b] = [matrix(side), matrix(side)].map((data) => tf.tensor2d(data, [side, side]));
  return {
    products: count * (side / SIDE) ** 3,
    async run() {
      const corner = tf.tidy(() => {
        let c = a;
        for (let k = 0; k < count; k++) c = tf.matMul(c, b);
        return tf.slice(c, [0, 0], [1, 1]);
      });
      // Only reading tells that it is done.
      await corner.data();
      corner.dispose();
    },
  };
}

async function inTfjs(): Promise<Product> {
  const tf = await import('@tensorflow/tfjs-core');
  const [a, b] = [matrix(), matrix()].map((data) => tf.tensor2d(data, [SIDE, SIDE]));
  return {
    products: 1,
    async run() {
      const c = tf.matMul(a, b);
      // Where work is queued, only reading tells that it is done.
      await c.data();
      c.dispose();
    },
  };
}
