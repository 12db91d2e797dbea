/**
 * Runs of the rule as programs: a segment is a few steps in one program. Training stores states between segments alone and
 * computes those within again on the way back, so memory stays bounded however long an organism lives.
 */
import { genomeLayout, isPerPatch, updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Compute, Program, Value, Values } from '../autodiff/compute.ts';
import { gradients } from '../autodiff/gradients.ts';
import type { Expression } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';
import { type Likelihood, logLikelihood } from './likelihood.ts';
import { type Parameters, parameterInputs } from './parameters.ts';
import { type PositionLoss, positionChannels, positionNats } from './position-loss.ts';
import { readGenome, ruleSteps } from './rule.ts';

export type DecoderSpec = Pick<Card, 'side' | 'channels' | 'latentSize' | 'growth' | 'update'>;

export interface Segment {
  /**
   * `seed`: the latent fills every cell of a new patch; `divide`: every cell becomes 2×2 first; `go-on`: neither. Steps
   * follow.
   */
  readonly begin: 'seed' | 'divide' | 'go-on';
  /** Side of the patch during the steps. */
  readonly stage: number;
  /** 1… */
  readonly steps: number;
  /** A part of the ground is closed: see `open` of the programs. */
  readonly crowded?: boolean;
}

/**
 * Segments from the seed to the grown patch.
 *
 * @param steps for uniform growth: how many steps (a doubling card says so itself)
 * @param longest steps a segment may have
 */
export function growthSegments(spec: DecoderSpec, longest: number, steps = 0): Segment[] {
  const { growth, side } = spec;
  if (growth.kind === 'uniform') return cut('seed', side, steps || growth.steps, longest);
  const segments: Segment[] = [];
  for (let stage = growth.seedSide; stage <= side; stage *= 2) {
    const begin = stage === growth.seedSide ? 'seed' : 'divide';
    segments.push(...cut(begin, stage, growth.stepsPerStage, longest));
  }
  return segments;
}

/** Segments of `steps` steps of a grown patch. */
export function stayingSegments(spec: DecoderSpec, steps: number, longest: number): Segment[] {
  return steps === 0 ? [] : cut('go-on', spec.side, steps, longest);
}

/** A remainder comes first, so that all others are alike. */
function cut(begin: Segment['begin'], stage: number, steps: number, longest: number): Segment[] {
  const segments: Segment[] = [];
  const remainder = steps % longest;
  for (let left = steps; left > 0; ) {
    const now = segments.length === 0 && remainder > 0 ? remainder : longest;
    segments.push({ begin: segments.length === 0 ? begin : 'go-on', stage, steps: now });
    left -= now;
  }
  return segments;
}

/** Where the gradient of a segment's last states comes from: an image they shall show, what follows, or both. */
export interface ReverseOptions {
  readonly image: boolean;
  readonly change: boolean;
}

/** What all segments of a life are told: `latents` [N, Z], `genome` where there is a standing input, `leak` where there is one. */
export interface Told {
  readonly inputs: Values;
  /** Frees what was made; the latents stay the caller's. */
  readonly free: () => void;
}

/**
 * Programs of segments for one batch size, compiled when first needed.
 *
 * Inputs: those of `tell`; `states` of the stage before (unless it begins with a seed); `parameter:*`; `mask0…` [N, s, s, 1]
 * where cells update by chance; `open` [N, s, s, 1] for crowded segments, 0 where cells are zeroed before each step, as on
 * ground that others hold, and not judged. For reverse programs also `image` [N, S, S, c] with `weight` [N] (what a nat of each sample
 * counts) and, where places are taught, `places` [1, s, s, 4 · octaves]; `change` of the last states, and `total:*` of what they give gradients of (`totalShapes`).
 */
export class Segments {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(
    private readonly compute: Compute,
    private readonly spec: DecoderSpec,
    private readonly likelihood: Likelihood,
    private readonly imageChannels: number,
    readonly batch: number,
    /** Taught wherever there is an image to show. */
    private readonly places?: PositionLoss & { readonly sigma: number },
  ) {}

  /** What segments give gradients of: the parameters that cells use, `latents`, and `genome` where there is one. */
  get totalShapes(): Map<string, readonly number[]> {
    const { latentSize, update } = this.spec;
    const shapes = new Map([...updateShapes(this.spec)].filter(([name]) => !isPerPatch(name)));
    shapes.set('latents', [this.batch, latentSize]);
    if (update.standingInput) shapes.set('genome', this.genomeShape);
    return shapes;
  }

  /**
   * Reads the genome, once for a whole life.
   *
   * @param parameters `parameter:*`
   * @param latents [N, Z]
   * @param leak instead of the card's
   */
  async tell(parameters: Values, latents: Value, leak = this.spec.update.leak): Promise<Told> {
    const own: Record<string, Value> = {};
    if (this.spec.update.standingInput) {
      const program = await this.program('genome', () => ({
        genome: this.readGenome(parameterInputs(updateShapes(this.spec))),
      }));
      own.genome = (await program.run({ ...parameters, latents })).genome;
    }
    if (this.spec.update.leak > 0) own.leak = this.compute.upload([], Float32Array.of(leak));
    return {
      inputs: { ...own, latents },
      free: () => this.compute.free(...Object.values(own)),
    };
  }

  /**
   * From the genome back to the net that reads it, and to the latents. Inputs: `parameter:*`, `latents`, `total:genome`,
   * `total:latents`. Outputs: `total:latents` with what came through the genome added; `total:*` of the net's parameters.
   * Absent: rules without a standing input.
   */
  reverseGenome(): Promise<Program> | undefined {
    if (!this.spec.update.standingInput) return undefined;
    return this.program('reverse genome', () => {
      const shapes = updateShapes(this.spec);
      const parameters = parameterInputs(shapes);
      const latents = this.latents;
      const names = [...shapes.keys()].filter(isPerPatch);
      const [change, ...slopes] = gradients(
        [
          {
            result: this.readGenome(parameters, latents),
            change: g.input('total:genome', this.genomeShape),
          },
        ],
        [latents, ...names.map(parameters)],
      );
      return {
        'total:latents': g.add(g.input('total:latents', latents.shape), change),
        ...Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
      };
    });
  }

  /** Output: `states`. */
  forward(segment: Segment): Promise<Program> {
    return this.program(`forward ${key(segment)}`, () => {
      const { after } = this.steps(segment, parameterInputs(updateShapes(this.spec)));
      return { states: after };
    });
  }

  /** Outputs: `change` of the first states (unless a seed), `total:*`; with an image `states` and `nats` [N]. */
  reverse(segment: Segment, { image, change }: ReverseOptions): Promise<Program> {
    return this.program(`reverse ${key(segment)} ${image} ${change}`, () => {
      const parameters = parameterInputs(updateShapes(this.spec));
      const { before, latents, genome, after } = this.steps(segment, parameters);
      const outputs: Record<string, Expression> = {};
      const seeds: { result: Expression; change: Expression }[] = [];
      if (image) {
        const target = g.inputMap('image', this.mapShape(segment.stage, this.imageChannels));
        const open = segment.crowded ? this.open(segment.stage) : undefined;
        const seen = open ? g.multiply(after, open) : after;
        const wanted = open ? g.multiply(target, open) : target;
        const nats = logLikelihood(this.likelihood, seen, wanted);
        const weight = g.input('weight', [this.batch]);
        seeds.push({ result: nats, change: g.reshapeToMap(weight, [this.batch, 1, 1, 1]) });
        const { places } = this;
        if (places) {
          const [, side] = after.shape;
          const fields = g.inputMap('places', [1, side, side, positionChannels(places)]);
          seeds.push({
            result: positionNats(
              seen,
              open ? g.multiply(fields, open) : fields,
              places,
              places.sigma,
            ),
            change: g.reshapeToMap(weight, [this.batch, 1, 1, 1]),
          });
        }
        outputs.states = after;
        outputs.nats = g.reshape(nats, [this.batch]);
      }
      if (change) {
        seeds.push({ result: after, change: g.inputMap('change', after.shape) });
      }
      const shapes = this.totalShapes;
      const names = [...shapes.keys()];
      const sources = names.map((name) =>
        name === 'latents' ? latents : name === 'genome' ? genome! : parameters(name),
      );
      const slopes = gradients(seeds, before ? [...sources, before] : sources);
      names.forEach((name, i) => {
        outputs[`total:${name}`] = g.add(g.input(`total:${name}`, shapes.get(name)!), slopes[i]);
      });
      if (before) outputs.change = slopes[names.length];
      return outputs;
    });
  }

  /** What the last states show: inputs `states`, `image`; output `nats` [N]. */
  measure(): Promise<Program> {
    return this.program('measure', () => {
      const { side, channels } = this.spec;
      const states = g.inputMap('states', this.mapShape(side, channels));
      const image = g.inputMap('image', this.mapShape(side, this.imageChannels));
      return { nats: g.reshape(logLikelihood(this.likelihood, states, image), [this.batch]) };
    });
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  private get latents(): Expression {
    return g.input('latents', [this.batch, this.spec.latentSize]);
  }

  private get genomeShape(): number[] {
    const { genome, hidden } = this.spec.update;
    return [this.batch, genome ? genomeLayout(this.spec).size : hidden];
  }

  private readGenome(parameters: Parameters, latents = this.latents): Expression {
    return readGenome(this.spec.update, parameters, latents);
  }

  private open(side: number): Expression {
    return g.inputMap('open', this.mapShape(side, 1));
  }

  private mapShape(side: number, channels: number): number[] {
    return [this.batch, side, side, channels];
  }

  private steps(
    segment: Segment,
    parameters: Parameters,
  ): { before?: Expression; latents: Expression; genome?: Expression; after: Expression } {
    const { channels, update } = this.spec;
    const { begin, stage, steps } = segment;
    const { latents } = this;
    const genome = update.standingInput ? g.input('genome', this.genomeShape) : undefined;
    const step = ruleSteps(update, parameters, {
      ...(genome && { genome }),
      ...(update.leak > 0 && { leak: g.input('leak', []) }),
    });
    let before: Expression | undefined;
    let states: Expression;
    if (begin === 'seed') {
      const cell = g.reshapeToMap(g.slice(latents, 0, channels), [this.batch, 1, 1, channels]);
      states = g.expand(cell, this.mapShape(stage, channels));
    } else {
      const from = begin === 'divide' ? stage / 2 : stage;
      before = g.inputMap('states', this.mapShape(from, channels));
      states = begin === 'divide' ? g.upsample(before) : before;
    }
    const open = segment.crowded ? this.open(stage) : undefined;
    for (let i = 0; i < steps; i++) {
      if (open) states = g.multiply(states, open);
      const mask =
        update.updateProbability < 1 ? g.inputMap(`mask${i}`, this.mapShape(stage, 1)) : undefined;
      states = step(states, mask);
    }
    return { ...(before && { before }), latents, ...(genome && { genome }), after: states };
  }

  private program(name: string, build: () => Record<string, Expression>): Promise<Program> {
    let program = this.programs.get(name);
    if (!program) {
      program = this.compute.compile(build());
      this.programs.set(name, program);
    }
    return program;
  }
}

const key = ({ begin, stage, steps, crowded }: Segment): string =>
  `${begin} ${stage} ${steps}${crowded ? ' crowded' : ''}`;

/** The values of a set whose names begin with a prefix. */
export function startingWith(values: Values, prefix: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith(prefix)));
}
