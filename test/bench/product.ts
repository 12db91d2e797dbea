/** How fast a runtime multiplies big matrices: what it could do at best on this machine. */
import { availableParallelism } from 'node:os';
import type { BackendName } from '../../server/engine/backend.ts';
import { ModelWriter } from '../../server/engine/onnx/modelWriter.ts';

const SIDE = 1024;
export const PRODUCT_FLOP = 2 * SIDE ** 3;

/** Multiplies once. */
type Product = () => Promise<void>;

/** Of these alone a product can be asked. */
const PRODUCTS: Partial<Record<BackendName, () => Promise<Product>>> = {
  onnx: inOnnx,
  tensorflow: inTfjs,
  wasm: inTfjs,
  cpu: inTfjs,
};

/** @returns nothing where the runtime of this backend, which has been started, cannot be asked */
export const createProduct = async (backend: BackendName): Promise<Product | undefined> =>
  PRODUCTS[backend]?.();

const matrix = (): Float32Array => Float32Array.from({ length: SIDE ** 2 }, () => Math.random());

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
  return async () => {
    await session.run(feeds, fetches);
  };
}

async function inTfjs(): Promise<Product> {
  const tf = await import('@tensorflow/tfjs-core');
  const [a, b] = [matrix(), matrix()].map((data) => tf.tensor2d(data, [SIDE, SIDE]));
  return async () => {
    const c = tf.matMul(a, b);
    // Where work is queued, only reading tells that it is done.
    await c.data();
    c.dispose();
  };
}
