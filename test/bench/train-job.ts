/** Runs a training step of a segment in a worker. */
import type { Value } from '../../server/autodiff/compute.ts';
import { type DecoderSpec, Segments } from '../../server/training/model/segments.ts';
import type { WorkerJob } from '../../server/training/workers/worker-pool.ts';
import { updateShapes } from '../../server/vnca/architecture.ts';
import { createRandom } from '../../shared/random.ts';

export interface Plan {
  readonly spec: DecoderSpec;
  readonly steps: number;
  /** Number of patches per step. */
  readonly micro: number;
}

export const workerJob: WorkerJob<Plan, 'step', 'done'> = {
  module: import.meta.url,
  async open(compute, { spec, steps, micro }) {
    const { side, channels } = spec;
    const likelihood = { kind: 'gaussian', sigma: 0.1, channels: [0, 1, 2, 3] } as const;
    const segments = new Segments({ compute, spec, likelihood, batch: micro });
    // Computes forward and backward passes in one program.
    const program = await segments.reverse(
      { begin: 'go-on', stage: side, steps },
      { image: true, change: false },
    );
    const reverseGenome = await segments.reverseGenome();
    const random = createRandom(1);
    const inputs: Record<string, Value> = {};
    const give = (name: string, shape: readonly number[], scale: number): void => {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: size }, () => scale * random.normal());
      inputs[name] = compute.upload(shape, data);
    };
    for (const [name, shape] of updateShapes(spec)) give(`parameter:${name}`, shape, 0.05);
    for (const [name, shape] of segments.totalShapes) give(`total:${name}`, shape, 0);
    give('latents', [micro, spec.latentSize], 1);
    const conditioning = await segments.condition(inputs, inputs.latents);
    Object.assign(inputs, conditioning.inputs);
    give('states', [micro, side, side, channels], 1);
    give('image', [micro, side, side, 4], 1);
    give('weight', [micro], 1);
    return {
      async work() {
        const ofSteps = await program.run(inputs);
        // Native code returns the gradients of all layers together, as a gradient of the genome.
        const ofLayers = await reverseGenome?.run({ ...inputs, ...ofSteps });
        const results = { ...ofSteps, ...ofLayers };
        // Read results, because a back end may only have queued the work.
        await compute.read(results.nats);
        await compute.read(results['total:update.perceive.kernel']);
        compute.free(...Object.values(results));
        return 'done';
      },
      async close() {
        compute.free(...Object.values(inputs));
        await segments.dispose();
      },
    };
  },
};
