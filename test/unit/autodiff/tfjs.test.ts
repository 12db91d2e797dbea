/** Back ends of training: onnx, the GPU, and the GPU's operations on a CPU. */
import * as tf from '@tensorflow/tfjs-core';
import { type Compute, ComputeError } from '../../../server/autodiff/compute.ts';
import { createCompute } from '../../../server/autodiff/create.ts';
import { gradients } from '../../../server/autodiff/gradients.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { createTfjsCpuCompute } from '../../support/tfjs-cpu.ts';
import { hasCompiler } from '../engine/native/support.ts';
import { describeComputeContract } from './contract.ts';

const creators: Record<string, () => Promise<Compute>> = {
  onnx: async () => createOnnxCompute({ threads: 2 }),
  cpu: createTfjsCpuCompute,
};
// If this machine has no GPU, the test checks the error instead, and its name says so.
let refusal: unknown;
try {
  await (await createCompute('webgpu')).dispose();
  creators.webgpu = () => createCompute('webgpu');
} catch (error) {
  refusal = error;
}

for (const [name, create] of Object.entries(creators)) {
  describeComputeContract(name, create);

  it(`frees all memory of a run on ${name}`, async () => {
    const compute = await create();
    const x = g.inputMap('x', [2, 4, 4, 3]);
    const w = g.input('w', [3, 3, 3, 3]);
    const y = g.elu(g.add(g.conv(x, w, { pad: 1 }), x));
    const [dx, dw] = gradients([{ result: g.sum(g.square(y)) }], [x, w]);
    const program = await compute.compile({ y, same: y, x, dx, dw });
    const before = tf.memory().numTensors;
    const values = {
      x: compute.upload([2, 4, 4, 3], new Float32Array(96).fill(0.5)),
      w: compute.upload([3, 3, 3, 3], new Float32Array(81).fill(0.1)),
    };
    const results = await program.run(values);
    // Results belong to the caller, so an input can be freed before a result that equals it.
    compute.free(...Object.values(values));
    expect([...(await compute.read(results.x))]).toEqual(new Array(96).fill(0.5));
    expect(await compute.read(results.same)).toEqual(await compute.read(results.y));
    compute.free(...Object.values(results));
    expect(tf.memory().numTensors).toBe(before);
    await expect(program.run({})).rejects.toThrow('is missing');
    expect(tf.memory().numTensors).toBe(before);
    await program.dispose();
    await compute.dispose();
  });
}

if (refusal) {
  test(`no webgpu here: ${(refusal as Error).message}`, () => {
    expect(refusal).toBeInstanceOf(ComputeError);
    expect((refusal as ComputeError).message).toMatch(/^webgpu: .*install/);
  });
}

test('auto uses a real GPU, else native code, else onnx, and gives the reasons', async () => {
  const reasons: string[] = [];
  const compute = await createCompute('auto', { onSkip: (reason) => reasons.push(reason) });
  const skipped = (name: string) => expect.stringMatching(new RegExp(`^${name}: `));
  if (compute.name === 'webgpu') expect(compute.device).toMatch(/^GPU /);
  else expect(compute.name).toBe(hasCompiler ? 'native' : 'onnx');
  if (compute.name === 'native') expect(reasons).toEqual([skipped('webgpu')]);
  if (compute.name === 'onnx') expect(reasons).toEqual([skipped('webgpu'), skipped('native')]);
  await compute.dispose();
});
