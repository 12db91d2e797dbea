/**
 * A few steps of a small automaton, and their gradients: the same numbers on every back end that is
 * here.
 */
import { type Compute, ComputeError } from '../../../server/autodiff/compute.ts';
import { createCompute } from '../../../server/autodiff/create.ts';
import { gradients } from '../../../server/autodiff/gradients.ts';
import type { Expression } from '../../../server/autodiff/graph.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { createTfjsCpuCompute } from '../../support/tfjs-cpu.ts';
import { normals } from '../training/model/small.ts';
import { evaluate } from './contract.ts';

const [COUNT, SIDE, CHANNELS, HIDDEN, LATENT] = [3, 10, 6, 12, 5];
const STEPS = 8;

const SHAPES = {
  states: [COUNT, SIDE, SIDE, CHANNELS],
  latents: [COUNT, LATENT],
  perceive: [3, 3, CHANNELS, HIDDEN],
  stand: [LATENT, HIDDEN],
  bias: [HIDDEN],
  update: [HIDDEN, CHANNELS],
} as const;
type Name = keyof typeof SHAPES;
const NAMES = Object.keys(SHAPES) as Name[];

function program(): Record<string, Expression> {
  const leaves = Object.fromEntries(
    NAMES.map((name) => [
      name,
      name === 'states' ? g.inputMap(name, SHAPES[name]) : g.input(name, SHAPES[name]),
    ]),
  ) as Record<Name, Expression>;
  const genome = g.add(g.matMul(leaves.latents, leaves.stand), g.reshape(leaves.bias, [1, HIDDEN]));
  const standing = g.reshapeToMap(genome, [COUNT, 1, 1, HIDDEN]);
  let states = leaves.states;
  for (let step = 0; step < STEPS; step++) {
    const seen = g.conv(states, leaves.perceive, { pad: 1 });
    const change = g.pointwise(g.elu(g.add(seen, standing)), leaves.update);
    states = g.clip(g.add(states, change), -2, 2);
  }
  const loss = g.sum(g.square(states));
  const slopes = gradients(
    [{ result: loss }],
    NAMES.map((name) => leaves[name]),
  );
  return {
    states,
    loss,
    ...Object.fromEntries(NAMES.map((name, i) => [`slope of ${name}`, slopes[i]])),
  };
}

const inputs = Object.fromEntries(
  NAMES.map((name, i) => {
    const scale = name === 'states' || name === 'latents' ? 1 : 0.15;
    return [name, normals(SHAPES[name], 8 + i, scale)];
  }),
);

async function results(compute: Compute): Promise<Record<string, Float32Array>> {
  try {
    return await evaluate(compute, program(), inputs);
  } finally {
    await compute.dispose();
  }
}

/** Greatest difference, relative to the greatest number. */
function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i])), 0) / largest;
}

let expected: Record<string, Float32Array>;
beforeAll(async () => {
  expected = await results(await createCompute('onnx', { threads: 1 }));
});

test('the test automaton is active', () => {
  for (const data of Object.values(expected)) {
    expect(data.every(Number.isFinite)).toBe(true);
    expect(data.some((x) => Math.abs(x) > 0.1)).toBe(true);
  }
});

test.each([
  ['TensorFlow.js on the CPU', createTfjsCpuCompute],
  ['webgpu', () => createCompute('webgpu')],
])('%s agrees with onnx, if it is available', async (name, create) => {
  let compute: Compute;
  try {
    compute = await create();
  } catch (error) {
    // Only this one may be missing on a machine.
    expect(name).toBe('webgpu');
    expect(error).toBeInstanceOf(ComputeError);
    console.log(`not compared: ${(error as Error).message}`);
    return;
  }
  const found = await results(compute);
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [title, data] of Object.entries(expected)) {
    expect({ title, far: distance(data, found[title]) > 1e-4 }).toEqual({ title, far: false });
  }
});
