/** Segments whose steps are computed by native code, as programs with the inputs of `Segments`. */
import {
  type Compute,
  inputOf,
  type NativeSteps,
  type Program,
  type StepsTaken,
  type Value,
  type Values,
} from '../../autodiff/compute.ts';
import type { Shape } from '../../autodiff/graph.ts';
import { divide, seedState } from '../../vnca/architecture.ts';
import type { DecoderSpec, Segment, SegmentsOptions } from './segments.ts';

/** The only parameter that native code reads itself. All others are in its `genome`. */
export const PERCEPTION = 'update.perceive.kernel';

export class NativeSegments {
  /** Shape of the layers that the steps read. */
  readonly genomeShape: number[];
  private readonly compute: Compute;
  private readonly spec: DecoderSpec;
  private readonly batch: number;
  private readonly genomes: number;

  constructor(
    options: SegmentsOptions,
    private readonly native: NativeSteps,
  ) {
    this.compute = options.compute;
    this.spec = options.spec;
    this.batch = options.batch;
    this.genomes = options.genomes ?? 1;
    const rows = this.spec.update.standingInput ? this.batch * this.genomes : 1;
    this.genomeShape = [rows, native.rowSize];
  }

  /** As `Segments.forward`. */
  forward(segment: Segment): Program {
    return program(async (inputs) => {
      const { after } = await this.take(segment, inputs, false);
      return { states: this.upload(segment.stage, after) };
    });
  }

  /**
   * As `Segments.reverse`.
   *
   * @param totals shapes of the totals
   * @param loss for a target image: program with the inputs `after` and `last`, states of the
   * segment; its outputs are `nats`, and the gradients `after` and, if it depends on them, `last`
   */
  async reverse(
    segment: Segment,
    totals: ReadonlyMap<string, Shape>,
    loss?: Promise<Program>,
  ): Promise<Program> {
    const judge = await loss;
    const { compute } = this;
    const { begin, stage } = segment;
    const { channels } = this.spec;
    return program(async (inputs) => {
      const sums: Record<string, Float32Array> = {};
      for (const [name, shape] of totals) {
        sums[name] = (await this.read(inputs, `total:${name}`, shape)).slice();
      }
      const taken = await this.take(segment, inputs, true);
      const states = this.upload(stage, taken.after);
      const last = this.upload(stage, taken.last);
      const judged = judge && (await judge.run({ ...inputs, after: states, last }));
      const slope = taken.reverse(
        {
          after: await compute.read(judged?.after ?? inputs.change),
          last: judged?.last && (await compute.read(judged.last)),
        },
        { kernel: sums[PERCEPTION], layers: sums.genome },
      );
      let before: Value | undefined;
      if (begin === 'seed')
        addCells(slope, sums.latents, channels, sums.latents.length / this.batch);
      else if (begin === 'divide')
        before = this.upload(stage / 2, sumBlocks(slope, stage, channels));
      else before = this.upload(stage, slope);
      return {
        ...(judged && { nats: judged.nats, states }),
        ...(before && { change: before }),
        ...Object.fromEntries(
          Array.from(totals, ([name, shape]) => [
            `total:${name}`,
            compute.upload(shape, sums[name]),
          ]),
        ),
      };
    });
  }

  /** Takes the steps of a segment. */
  private async take(segment: Segment, inputs: Values, keeps: boolean): Promise<StepsTaken> {
    const { begin, stage, steps, crowded, rim } = segment;
    const { batch, genomes } = this;
    const { channels, latentSize, update } = this.spec;
    const kernel = await this.read(inputs, `parameter:${PERCEPTION}`, [
      3,
      3,
      channels,
      update.hidden,
    ]);
    const cells = (name: string) => this.read(inputs, name, [batch, stage, stage, 1]);
    const each = (patch: (i: number) => Float32Array) =>
      Array.from({ length: batch }, (_, i) => patch(i));
    let states: Float32Array;
    if (begin === 'seed') {
      const latents = await this.read(inputs, 'latents', [batch * genomes, latentSize]);
      states = joined(
        each((i) => seedState(latents.subarray(i * genomes * latentSize), stage, channels)),
      );
    } else {
      const side = begin === 'divide' ? stage / 2 : stage;
      states = await this.read(inputs, 'states', [batch, side, side, channels]);
      if (begin === 'divide') {
        const [whole, size] = [states, states.length / batch];
        states = joined(each((i) => divide(whole.subarray(i * size, (i + 1) * size), channels)));
      }
    }
    const masks =
      update.updateProbability < 1
        ? Array.from({ length: steps }, (_, i) => cells(`mask${i}`))
        : [];
    return this.native.take(
      {
        ...{ side: stage, count: batch, genomes, steps, kernel, states },
        leak: update.leak > 0 ? (await this.read(inputs, 'leak', []))[0] : 0,
        layers: await this.read(inputs, 'genome', this.genomeShape),
        masks: masks.length > 0 ? joined(await Promise.all(masks)) : undefined,
        open: crowded ? await cells('open') : undefined,
        closed: rim ? await cells('closed') : undefined,
        weights:
          genomes > 1
            ? await this.read(inputs, 'weights', [batch, stage, stage, genomes])
            : undefined,
      },
      keeps,
    );
  }

  private read(inputs: Values, name: string, shape: Shape): Promise<Float32Array> {
    return this.compute.read(inputOf(inputs, name, shape));
  }

  private upload(side: number, states: Float32Array): Value {
    return this.compute.upload([this.batch, side, side, this.spec.channels], states);
  }
}

const program = (run: Program['run']): Program => ({ run, dispose: async () => {} });

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The reverse of seeds: adds the sum over the cells of each patch to its latents, [N, size]. */
function addCells(
  slope: Float32Array,
  latents: Float32Array,
  channels: number,
  size: number,
): void {
  const ofPatch = (slope.length / latents.length) * size;
  for (let i = 0; i < slope.length; i++) {
    latents[Math.floor(i / ofPatch) * size + (i % channels)] += slope[i];
  }
}

/** The reverse of division: sums blocks of 2×2 cells. @param slope [N, s, s, C] */
function sumBlocks(slope: Float32Array, stage: number, channels: number): Float32Array {
  const sums = new Float32Array(slope.length / 4);
  for (let cell = 0; cell < slope.length / channels; cell++) {
    const [row, x] = [Math.floor(cell / stage), cell % stage];
    // Two rows of cells become one. Sides are even, so patches need no attention.
    const to = ((row >> 1) * (stage / 2) + (x >> 1)) * channels;
    for (let c = 0; c < channels; c++) sums[to + c] += slope[cell * channels + c];
  }
  return sums;
}
