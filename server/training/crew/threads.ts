/** A crew of one thread a core. Parameters go there through shared memory, gradients come back as rows of numbers. */
import { Mutex } from 'async-mutex';
import type { Compute, Value, Values } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { Layout, OrderedSum } from '../flat.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { openLanes } from '../lanes/trade.ts';
import type { LiveJob } from '../living.ts';
import { trainedShapes } from '../trained.ts';
import type { Pixels } from '../workshop.ts';
import type { Crew, Outcome } from './crew.ts';
import { type Job, type Plan, type Result, trade } from './trade.ts';

/** Threads start when first needed. */
export async function openThreads(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<Crew> {
  const layout = new Layout(trainedShapes(config));
  const parameters = new Float32Array(new SharedArrayBuffer(4 * layout.length));
  const { side, channels, count } = data;
  const plan: Plan = {
    config,
    data: { side, channels, count, pixels: sharedBytes(data.pixels) },
    parameters,
  };
  const lanes: Lanes<Job, Result> = openLanes(trade, compute, plan);
  const mutex = new Mutex();
  let version = 0;

  /** Does jobs with these parameters, which nobody changes meanwhile. */
  const work = (
    values: Values,
    jobs: readonly Job['do'][],
    took: (result: Result, i: number) => void,
  ): Promise<void> =>
    mutex.runExclusive(async () => {
      for (const name of layout.shapes.keys()) {
        layout.part(parameters, name).set(await compute.read(values[`parameter:${name}`]));
      }
      version++;
      await lanes.work(
        jobs.map((job) => ({ version, do: job })),
        took,
        (job) => ('life' in job.do ? costOf(job.do) : 0),
      );
    });

  return {
    async live(values, jobs) {
      const outcomes = new Array<Outcome>(jobs.length);
      const sum = new OrderedSum();
      await work(values, jobs, (result, i) => {
        const { totals, outcome } = result as Exclude<Result, Float32Array>;
        outcomes[i] = outcome;
        sum.add(totals, i);
      });
      const gradient: Record<string, Value> = {};
      for (const [name, shape] of layout.shapes) {
        gradient[`total:${name}`] = compute.upload(shape, layout.part(sum.total, name));
      }
      return { outcomes, parts: [gradient] };
    },
    async rows(values, jobs) {
      const rows = new Array<Float32Array>(jobs.length);
      await work(values, jobs, (result, i) => {
        rows[i] = result as Float32Array;
      });
      return rows;
    },
    dispose: () => lanes.dispose(),
  };
}

/** Cell-steps, those that are differentiated counted as three. */
function costOf({ life: { segments, differentiated } }: LiveJob): number {
  const first = segments.length - differentiated;
  return segments.reduce(
    (sum, { stage, steps }, i) => sum + stage * stage * steps * (i < first ? 1 : 3),
    0,
  );
}

/** Copied once, unless they are in shared memory already. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
