import * as tf from '@tensorflow/tfjs-core';
import type { Compute, ComputeName } from '../../../server/autodiff/compute.ts';
import { ComputeError, createCompute } from '../../../server/autodiff/create.ts';
import { gradients } from '../../../server/autodiff/gradients.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { describeComputeContract } from './contract.ts';

const present: ComputeName[] = ['wasm', 'cpu'];
const refusals: Partial<Record<ComputeName, unknown>> = {};
// What not every machine has. Where it is missing, the refusal is tested instead, and the test's
// name says so.
for (const name of ['webgpu', 'tensorflow'] as const) {
  try {
    await (await createCompute(name)).dispose();
    present.push(name);
  } catch (error) {
    refusals[name] = error;
  }
}

for (const name of present) {
  describeComputeContract(name, () => createCompute(name));

  describe(`memory on ${name}`, () => {
    let compute: Compute;
    beforeAll(async () => {
      compute = await createCompute(name);
    });
    afterAll(() => compute?.dispose());

    it('frees all memory of a run', async () => {
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
      // Results are the caller's: an input may go before a result that is the same.
      compute.free(...Object.values(values));
      expect([...(await compute.read(results.x))]).toEqual(new Array(96).fill(0.5));
      expect(await compute.read(results.same)).toEqual(await compute.read(results.y));
      compute.free(...Object.values(results));
      expect(tf.memory().numTensors).toBe(before);
      await expect(program.run({})).rejects.toThrow('is missing');
      expect(tf.memory().numTensors).toBe(before);
      await program.dispose();
    });

    it('computes on its own backend after another was active', async () => {
      const other = await createCompute(name === 'cpu' ? 'wasm' : 'cpu');
      const program = await compute.compile({ y: g.exp(g.input('x', [2])) });
      const elsewhere = await other.compile({ y: g.exp(g.input('x', [2])) });
      const x = compute.upload([2], Float32Array.of(0, 1));
      const x2 = other.upload([2], Float32Array.of(0, 1));
      const { y: y2 } = await elsewhere.run({ x: x2 });
      const { y } = await program.run({ x });
      expect(tf.getBackend()).toBe(name);
      expect((await compute.read(y))[1]).toBeCloseTo(Math.E, 5);
      expect((await other.read(y2))[1]).toBeCloseTo(Math.E, 5);
      compute.free(x, y);
      other.free(x2, y2);
      await program.dispose();
      await elsewhere.dispose();
      await other.dispose();
    });
  });
}

for (const [name, refusal] of Object.entries(refusals)) {
  test(`no ${name} here: ${(refusal as Error).message}`, () => {
    expect(refusal).toBeInstanceOf(ComputeError);
    const { compute, reason, message } = refusal as ComputeError;
    expect(compute).toBe(name);
    expect(reason).toBe(name === 'webgpu' ? 'no-adapter' : 'not-installed');
    expect(message).toMatch(/install/);
  });
}

test('auto uses a real GPU, else onnx, and gives the reasons', async () => {
  const reasons: string[] = [];
  const compute = await createCompute('auto', { onSkip: (reason) => reasons.push(reason) });
  if (compute.name === 'onnx') {
    expect(reasons.map((reason) => reason.split(':')[0])).toEqual(['tensorflow', 'webgpu']);
  } else {
    expect(compute.device).toMatch(/^GPU /);
  }
  await compute.dispose();
});
