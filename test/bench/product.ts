/** How fast a runtime multiplies big matrices: what it could do at best on this machine. */
import { availableParallelism } from 'node:os';
import type { BackendName } from '../../server/engine/backend.ts';
import { ModelWriter } from '../../server/engine/onnx/model.ts';

const SIDE = 1024;
export const PRODUCT_FLOP = 2 * SIDE ** 3;

export interface Product {
  run(): Promise<void>;
  /** How many products of `SIDE` one run is worth. */
  readonly products: number;
}

const PRODUCTS: Readonly<Record<BackendName, () => Promise<Product>>> = {
  webgpu: async () => {
    const { startDevice } = await import('../../server/autodiff/webgpu/webgpu.ts');
    // Products on a GPU are large and many, so that starting them does not count. A CPU that emulates
    // a GPU is spared that.
    return inTfjs(...((await startDevice()).gpu ? ([4 * SIDE, 8] as const) : [SIDE / 2]));
  },
  // Its kernel multiplies no big matrices.
  native: inOnnx,
  onnx: inOnnx,
  tensorflow: () => inTfjs(),
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

/** Uses the kernels of TensorFlow.js, in 32 bits. @param count of products in one run */
async function inTfjs(side = SIDE, count = 1): Promise<Product> {
  const tf = await import('@tensorflow/tfjs-core');
  const [a, b] = [matrix(side), matrix(side)].map((data) => tf.tensor2d(data, [side, side]));
  return {
    products: count * (side / SIDE) ** 3,
    async run() {
      const corner = tf.tidy(() => {
        let c = a;
        for (let k = 0; k < count; k++) c = tf.matMul(c, b);
        return tf.slice(c, [0, 0], [1, 1]);
      });
      // Work may be queued, so only reading shows that it is done.
      await corner.data();
      corner.dispose();
    },
  };
}
