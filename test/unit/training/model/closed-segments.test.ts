/** Segments whose ground is closed in part, and those whose closed ground opens from its rim. */
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import {
  growthSegments,
  type Segment,
  stayingSegments,
} from '../../../../server/training/model/segments.ts';
import { expectGradients } from './rollout-gradients.ts';
import { doubling, GAUSSIAN, N, openSource, SIDE, setUp } from './rollouts.ts';
import { normals, upload } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());

const update = { kind: 'residual', hidden: 3, standingInput: true, leak: 0.2 };

describe('a crowded segment', () => {
  const given = setUp(compute, update, doubling(1), GAUSSIAN);
  const rollout = [...growthSegments(given.spec, 2), ...stayingSegments(given.spec, 3, 2)].map(
    (segment) => ({ ...segment, crowded: true }),
  );
  afterAll(() => given.segments.dispose());

  it('has gradients only from open ground', async () => {
    await expectGradients(given, rollout, new Set());
  });

  it('does not depend on states on closed ground', async () => {
    const parameters = upload(compute, given.parameters);
    const { latents } = upload(compute, { latents: given.latents });
    const conditioning = await given.segments.condition(parameters, latents);
    const step: Segment = { begin: 'go-on', stage: SIDE, steps: 1, crowded: true };
    const { open } = openSource([step])(step);
    const before = normals([N, SIDE, SIDE, given.spec.channels], 7);
    const other = { ...before, data: before.data.slice() };
    other.data.forEach((_, i) => {
      if (open.data[Math.floor(i / given.spec.channels)] === 0) other.data[i] = 9;
    });
    const program = await given.segments.forward(step);
    const results = [];
    for (const states of [before, other]) {
      const inputs = upload(compute, { states, open });
      const { states: after } = await program.run({
        ...parameters,
        ...conditioning.inputs,
        ...inputs,
      });
      results.push([...(await compute.read(after))]);
    }
    expect(results[1]).toEqual(results[0]);
    conditioning.free();
  });
});

describe('segments with a rim', () => {
  const given = setUp(compute, update, doubling(1), GAUSSIAN);
  afterAll(() => given.segments.dispose());
  const rim = (steps: number): Segment => ({ begin: 'go-on', stage: SIDE, steps, rim: true });

  it('have gradients only from cells that count', async () => {
    const rollout = [...growthSegments(given.spec, 2), rim(2), rim(2)];
    await expectGradients(given, rollout, new Set([rollout.length - 2]));
  });

  it('keep each cell at zero until it opens', async () => {
    const parameters = upload(compute, given.parameters);
    const { latents } = upload(compute, { latents: given.latents });
    const conditioning = await given.segments.condition(parameters, latents);
    const segments = [rim(1), rim(2)];
    let states = normals([N, SIDE, SIDE, given.spec.channels], 7);
    const lives: boolean[][] = [];
    for (const segment of segments) {
      const { closed } = openSource(segments)(segment);
      const program = await given.segments.forward(segment);
      const inputs = {
        ...parameters,
        ...conditioning.inputs,
        ...upload(compute, { states, closed }),
      };
      const { states: after } = await program.run(inputs);
      states = { ...states, data: Float32Array.from(await compute.read(after)) };
      lives.push(
        Array.from({ length: SIDE }, (_, x) => states.data[x * given.spec.channels] !== 0),
      );
    }
    // Columns from 4 on are closed for 1, 2, 3, 4 steps; a cell lives in the step after.
    expect(lives[0]).toEqual([true, true, true, true, false, false, false, false]);
    expect(lives[1]).toEqual([true, true, true, true, true, true, false, false]);
    conditioning.free();
  });
});
