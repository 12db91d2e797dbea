/**
 * Compiles steps of the rule as programs. A segment is a few steps in one program. Training stores
 * only the states between segments and recomputes the states inside them during backpropagation, so
 * memory stays bounded for rollouts of any length.
 */
import {
  type Compute,
  inputOf,
  type Program,
  type Value,
  type Values,
} from '../../autodiff/compute.ts';
import { gradients } from '../../autodiff/gradients.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { type Parameters, parameterInputs } from '../../autodiff/parameters.ts';
import { layerRows, readGenome, ruleSteps } from '../../autodiff/rule.ts';
import type { NativeSteps } from '../../engine/native/native.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { genomeLayout, isPerPatch, updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { imageChannels } from '../../vnca/readout.ts';
import {
  type Likelihood,
  logLikelihood,
  type PositionLoss,
  positionChannels,
  positionNats,
} from './likelihood.ts';
import { decode } from './networks.ts';

/** The fields of a checkpoint's card that the rule needs. */
export type DecoderSpec = Pick<Card, 'side' | 'channels' | 'latentSize' | 'growth' | 'update'>;

/** The only parameter that native code reads directly. The input `genome` has all other ones. */
const PERCEPTION = 'update.perceive.kernel';

/** A few steps at one stage. */
export interface Segment {
  /** Side of the patch during the steps. */
  readonly stage: number;
  /** Number of steps, 1… */
  readonly steps: number;
  /** Whether part of the ground is closed: see the input `open` of the programs. */
  readonly crowded?: boolean;
  /** Whether wounds close from their rim: see the inputs `closed` and `seen` of the programs. */
  readonly rim?: boolean;
  /**
   * The action before the steps. `seed`: the latent fills every cell of a new patch. `divide`:
   * every cell becomes 2×2. `go-on`: no action.
   */
  readonly begin: 'seed' | 'divide' | 'go-on';
  /** Whether the loss includes the change in the last step. Requires a target image. */
  readonly rest?: boolean;
}

/**
 * Returns the segments from the seed to the grown patch.
 *
 * @param longest maximum number of steps per segment
 * @param steps number of steps of uniform growth, or 0 for the card's number. Growth by doubling
 * always follows the card
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

/** Returns the segments for `steps` steps of a grown patch. */
export function stayingSegments(spec: DecoderSpec, steps: number, longest: number): Segment[] {
  return steps === 0 ? [] : cut('go-on', spec.side, steps, longest);
}

/**
 * Cuts steps into segments. The remainder comes first, so that all later segments share one
 * program.
 */
function cut(begin: Segment['begin'], stage: number, steps: number, longest: number): Segment[] {
  const segments: Segment[] = [];
  for (let left = steps; left > 0; left -= segments[segments.length - 1].steps) {
    const isFirst = segments.length === 0;
    segments.push({ begin: isFirst ? begin : 'go-on', stage, steps: left % longest || longest });
  }
  return segments;
}

/** Inputs shared by all segments of a rollout. */
export type Conditioning = Awaited<ReturnType<Segments['condition']>>;

interface SegmentsOptions {
  readonly compute: Compute;
  readonly spec: DecoderSpec;
  /** Number of samples per run of a program, N. */
  readonly batch: number;
  readonly likelihood: Likelihood;
  /** Trains cells to represent their positions, in addition to every target image. */
  readonly places?: PositionLoss & { readonly sigma: number };
  /** Weight of the squared change of all channels in the last step of segments with `rest`. */
  readonly rest?: { readonly weight: number; readonly sigma: number };
  /** Whether the rule is constant, so that gradients are needed only for the latents. */
  readonly isKept?: boolean;
}

/**
 * Compiles programs of segments for one batch size, each when it is first needed.
 *
 * Inputs of all programs: the inputs that `condition` returns; `parameter:*`; `states` of the
 * previous segment, unless the segment begins with a seed; `mask0…` [N, s, s, 1] if cells update at
 * random. Crowded segments have `open` [N, s, s, 1], where 0 marks closed ground: cells there are
 * zeroed before each step and left out of the loss. Segments with a rim have `closed` [N, s, s, 1],
 * the number of steps until each cell opens: until then the cell is zeroed after each step.
 *
 * Further inputs of reverse programs: `total:*` (`totalShapes`), the sums so far; `change`, the
 * gradient with respect to the last states. For a target image: `image` [N, S, S, c]; `weight` [N],
 * each sample's weight per nat; `places` [1, s, s, 4 · octaves] with a position loss; and for
 * segments with a rim `seen` [N, s, s, 1], where 0 leaves a cell out of the loss.
 */
export class Segments {
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly spec: DecoderSpec;
  private readonly batch: number;
  private readonly native: ReturnType<typeof nativeSegments> | undefined;

  constructor(private readonly options: SegmentsOptions) {
    this.spec = options.spec;
    this.batch = options.batch;
    if (options.compute.openSteps && this.spec.update.kind !== 'decoder') {
      this.native = nativeSegments(options, options.compute.openSteps(this.spec));
    }
  }

  /**
   * Shapes of the gradients that segments return: the cells' parameters, `latents`, and `genome` if
   * segments read one.
   */
  get totalShapes(): Map<string, readonly number[]> {
    const { latentSize } = this.spec;
    const shapes = new Map(this.learnt.filter(([name]) => !this.isInGenome(name)));
    shapes.set('latents', [this.batch, latentSize]);
    if (this.readsGenome) shapes.set('genome', this.genomeShape);
    return shapes;
  }

  /**
   * Computes the inputs shared by all segments of a rollout, including the genome.
   *
   * @param parameters `parameter:*`
   * @param latents [N, Z]
   * @param leak leak of the rule. If absent, the card's leak
   */
  async condition(parameters: Values, latents: Value, leak = this.spec.update.leak) {
    const own: Record<string, Value> = {};
    if (this.readsGenome) {
      const program = await this.program('genome', () => ({
        genome: this.readGenome(parameterInputs(updateShapes(this.spec))),
      }));
      own.genome = (await program.run({ ...parameters, latents })).genome;
    }
    if (this.spec.update.leak > 0)
      own.leak = this.options.compute.upload([], Float32Array.of(leak));
    return {
      /**
       * `latents` [N, Z]; `genome` for a rule with a standing input and for native code, which
       * reads the result of `layerRows`; `leak` [] for a rule with a leak.
       */
      inputs: { ...own, latents } as Values,
      /** Frees `genome` and `leak`. The caller frees the latents. */
      free: () => this.options.compute.free(...Object.values(own)),
    };
  }

  /**
   * Compiles the backpropagation from the genome to the net that computes it from the latents, and
   * to the latents. Inputs: `parameter:*`, `latents`, `total:genome`, `total:latents`. Outputs:
   * `total:latents` with the gradient through the genome added; `total:*` of the net's parameters.
   * Returns undefined if segments read no genome.
   */
  reverseGenome(): Promise<Program> | undefined {
    if (!this.readsGenome) return undefined;
    return this.program('reverse genome', () => {
      const shapes = updateShapes(this.spec);
      const parameters = parameterInputs(shapes);
      const latents = this.latents;
      const names = this.learnt.map(([name]) => name).filter(this.isInGenome);
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

  /** Compiles a program that runs a segment. Output: `states`. */
  async forward(segment: Segment): Promise<Program> {
    if (this.native) return this.native.forward(segment, this.surroundings(segment));
    return this.program(`forward ${key(segment)}`, () => {
      const { after } = this.steps(segment, parameterInputs(updateShapes(this.spec)));
      return { states: after };
    });
  }

  /**
   * Compiles a program that recomputes a segment and backpropagates through it: from a target
   * image, from the next segment's `change`, or from both. Outputs: `total:*`; `change`, the
   * gradient with respect to the first states, unless the segment begins with a seed; with a target
   * image also `states` and `nats` [N].
   */
  async reverse(
    segment: Segment,
    from: { readonly image: boolean; readonly change: boolean },
  ): Promise<Program> {
    const { native } = this;
    if (native) return native.reverse(segment, this.surroundings(segment, from), this.totalShapes);
    return this.program(`reverse ${key(segment)} ${from.image} ${from.change}`, () => {
      const parameters = parameterInputs(updateShapes(this.spec));
      const { before, latents, genome, last, after } = this.steps(segment, parameters);
      const { seeds, ...judged } = this.judge(segment, from, after, last);
      const outputs: Record<string, Expression> = {
        ...judged,
        ...(from.image && { states: after }),
      };
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

  /** Compiles the programs around the steps of a segment. @param from see `reverse` */
  private surroundings(
    segment: Segment,
    from?: { readonly image: boolean; readonly change: boolean },
  ): Surroundings {
    const { begin, stage } = segment;
    const shape = this.mapShape(stage, this.spec.channels);
    const begins = begin !== 'go-on';
    const total = 'total:latents';
    return {
      begin: begins
        ? this.program(`${begin} ${stage}`, () => ({ states: this.begin(segment).states }))
        : undefined,
      reverseBegin:
        begins && from
          ? this.program(`reverse ${begin} ${stage}`, () => {
              const { before, latents, states } = this.begin(segment);
              const seeds = [{ result: states, change: g.inputMap('change', shape) }];
              const [slope] = gradients(seeds, [before ?? latents]);
              if (before) return { change: slope };
              return { [total]: g.add(g.input(total, latents.shape), slope) };
            })
          : undefined,
      judge: from?.image
        ? this.program(`judge ${key(segment)} ${from.change}`, () => {
            const [after, last] = ['after', 'last'].map((name) => g.inputMap(name, shape));
            const { seeds, ...outputs } = this.judge(segment, from, after, last);
            const [ofAfter, ofLast] = gradients(seeds, [after, last]);
            return { ...outputs, after: ofAfter, ...(segment.rest && { last: ofLast }) };
          })
        : undefined,
    };
  }

  /**
   * Returns the parts of the objective that depend on the states after a segment and before its
   * last step, and, with a target image, `nats` [N].
   */
  private judge(
    segment: Segment,
    { image, change }: { readonly image: boolean; readonly change: boolean },
    after: Expression,
    last: Expression,
  ) {
    const seeds: { result: Expression; change: Expression }[] = [];
    if (change) seeds.push({ result: after, change: g.inputMap('change', after.shape) });
    if (!image) return { seeds };
    const target = this.image(segment.stage);
    const open = this.judgedGround(segment);
    const seen = open ? g.multiply(after, open) : after;
    const wanted = open ? g.multiply(target, open) : target;
    const nats = logLikelihood(this.options.likelihood, seen, wanted);
    const weight = g.reshapeToMap(g.input('weight', [this.batch]), [this.batch, 1, 1, 1]);
    seeds.push({ result: nats, change: weight });
    const { places, rest } = this.options;
    if (places) {
      const [, side] = after.shape;
      const fields = g.inputMap('places', [1, side, side, positionChannels(places)]);
      const expected = open ? g.multiply(fields, open) : fields;
      const result = positionNats(seen, expected, places, places.sigma);
      seeds.push({ result, change: weight });
    }
    if (segment.rest && rest) {
      const change = g.sum(g.square(g.subtract(after, last)), [1, 2, 3]);
      const result = g.multiply(change, (-0.5 * rest.weight) / rest.sigma ** 2);
      seeds.push({ result, change: weight });
    }
    return { seeds, nats: g.reshape(nats, [this.batch]) };
  }

  /**
   * Compiles a program that measures log p(image | states). Inputs: `states`, `image`. Output:
   * `nats` [N].
   */
  measure(): Promise<Program> {
    return this.program('measure', () => {
      const { side, channels } = this.spec;
      const states = g.inputMap('states', this.mapShape(side, channels));
      const nats = logLikelihood(this.options.likelihood, states, this.image(side));
      return { nats: g.reshape(nats, [this.batch]) };
    });
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  /** Names and shapes of the rule's tensors that need gradients. */
  private get learnt(): (readonly [string, readonly number[]])[] {
    return this.options.isKept ? [] : [...updateShapes(this.spec)];
  }

  private get latents(): Expression {
    return g.input('latents', [this.batch, this.spec.latentSize]);
  }

  /** Whether segments read a genome: always with native code, because it holds all layers. */
  private get readsGenome(): boolean {
    return this.native !== undefined || this.spec.update.standingInput;
  }

  /** Whether a tensor acts on cells only through the genome that segments read. */
  private readonly isInGenome = (name: string): boolean =>
    this.native ? name !== PERCEPTION : isPerPatch(name);

  private get genomeShape(): number[] {
    if (this.native) return this.native.genomeShape;
    const { genome, hidden } = this.spec.update;
    return [this.batch, genome ? genomeLayout(this.spec).size : hidden];
  }

  private readGenome(parameters: Parameters, latents = this.latents): Expression {
    const { update } = this.spec;
    const genome = update.standingInput ? readGenome(update, parameters, latents) : undefined;
    return this.native ? layerRows(update, parameters, genome) : genome!;
  }

  private image(side: number): Expression {
    return g.inputMap('image', this.mapShape(side, imageChannels(this.options.likelihood)));
  }

  private open(side: number): Expression {
    return g.inputMap('open', this.mapShape(side, 1));
  }

  /** Mask of the cells that count in the loss, [N, s, s, 1], or undefined if all cells count. */
  private judgedGround({ stage, crowded, rim }: Segment): Expression | undefined {
    if (rim) return g.inputMap('seen', this.mapShape(stage, 1));
    return crowded ? this.open(stage) : undefined;
  }

  private mapShape(side: number, channels: number): number[] {
    return [this.batch, side, side, channels];
  }

  /** @returns states before a segment and after its first action, and the latents */
  private begin({
    begin,
    stage,
  }: Segment): { before?: Expression } & Record<'latents' | 'states', Expression> {
    const { channels } = this.spec;
    const { latents } = this;
    if (begin === 'seed') {
      const seeds = g.slice(latents, 0, channels);
      const cell = g.reshapeToMap(seeds, [this.batch, 1, 1, channels]);
      return { latents, states: g.expand(cell, this.mapShape(stage, channels)) };
    }
    const side = begin === 'divide' ? stage / 2 : stage;
    const before = g.inputMap('states', this.mapShape(side, channels));
    return { before, latents, states: begin === 'divide' ? g.upsample(before) : before };
  }

  /**
   * @returns states before the segment, before its last step and after it, and the latents and
   * genome that they depend on
   */
  private steps(
    segment: Segment,
    parameters: Parameters,
  ): Record<'latents' | 'last' | 'after', Expression> &
    Partial<Record<'before' | 'genome', Expression>> {
    const { update } = this.spec;
    const { stage, steps } = segment;
    if (update.kind === 'decoder') {
      const { latents } = this;
      const after = decode(update, parameters, latents);
      // A decoder has no steps, so use its output as the states both before and after the last
      // step.
      return { latents, last: after, after };
    }
    const genome = update.standingInput ? g.input('genome', this.genomeShape) : undefined;
    const leak = update.leak > 0 ? { leak: g.input('leak', []) } : {};
    const step = ruleSteps(update, parameters, { ...(genome && { genome }), ...leak });
    const { before, latents, states: begun } = this.begin(segment);
    let states = begun;
    const byChance = update.updateProbability < 1;
    const closed = segment.rim ? g.inputMap('closed', this.mapShape(stage, 1)) : undefined;
    let last = states;
    for (let i = 0; i < steps; i++) {
      last = states;
      if (segment.crowded) states = g.multiply(states, this.open(stage));
      states = step(states, byChance ? g.inputMap(`mask${i}`, this.mapShape(stage, 1)) : undefined);
      if (closed)
        states = g.multiply(states, g.subtract(g.constant(1), g.greater(closed, i + 0.5)));
    }
    return { ...(before && { before }), latents, ...(genome && { genome }), last, after: states };
  }

  private program(name: string, build: () => Record<string, Expression>): Promise<Program> {
    return getOrAdd(this.programs, name, () => this.options.compute.compile(build()));
  }
}

const key = ({ begin, stage, steps, crowded, rim, rest }: Segment): string =>
  [begin, stage, steps, crowded && 'crowded', rim && 'rim', rest && 'rest']
    .filter(Boolean)
    .join(' ');

/** Programs that run before and after the steps of a segment. */
interface Surroundings {
  /** For a segment with an action before its steps: computes the `states` after this action. */
  readonly begin?: Promise<Program> | undefined;
  /** Backpropagates `change`, the gradient of the states after the action, to its inputs. */
  readonly reverseBegin?: Promise<Program> | undefined;
  /**
   * For a target image: computes `nats` and the gradients `after` and, if necessary, `last`. Its
   * inputs are `after` and `last`, the states after the steps and before the last step.
   */
  readonly judge?: Promise<Program> | undefined;
}

/** Returns the functions `forward` and `reverse` of `Segments`, computed by native code. */
function nativeSegments(
  { compute, spec: { channels, update }, batch }: SegmentsOptions,
  native: NativeSteps,
) {
  const genomeShape = [update.standingInput ? batch : 1, native.rowSize];
  const read = (inputs: Values, name: string, shape: readonly number[]) =>
    compute.read(inputOf(inputs, name, shape));
  const upload = ({ stage }: Segment, states: Float32Array) =>
    compute.upload([batch, stage, stage, channels], states);

  const take = async (
    { stage, steps, crowded, rim }: Segment,
    inputs: Values,
    begin: Promise<Program> | undefined,
    keeps: boolean,
  ) => {
    const begun = begin ? await (await begin).run(inputs) : inputs;
    const map = (name: string, c = 1) => read(inputs, name, [batch, stage, stage, c]);
    const cells = batch * stage * stage;
    const masks = update.updateProbability < 1 ? new Float32Array(steps * cells) : undefined;
    for (let i = 0; masks && i < steps; i++) masks.set(await map(`mask${i}`), i * cells);
    return native.take(
      {
        ...{ side: stage, count: batch, steps, masks },
        leak: update.leak > 0 ? (await read(inputs, 'leak', []))[0] : 0,
        kernel: await read(inputs, `parameter:${PERCEPTION}`, [3, 3, channels, update.hidden]),
        layers: await read(inputs, 'genome', genomeShape),
        states: await read(begun, 'states', [batch, stage, stage, channels]),
        open: crowded ? await map('open') : undefined,
        closed: rim ? await map('closed') : undefined,
      },
      keeps,
    );
  };

  return {
    genomeShape,
    forward: (segment: Segment, { begin }: Surroundings): Program =>
      program(async (inputs) => {
        const { after } = await take(segment, inputs, begin, false);
        return { states: upload(segment, after) };
      }),

    /** @param totals shapes of the totals */
    reverse: (
      segment: Segment,
      { begin, reverseBegin, judge }: Surroundings,
      totals: ReadonlyMap<string, readonly number[]>,
    ): Program =>
      program(async (inputs) => {
        const { after, last, reverse } = await take(segment, inputs, begin, true);
        const states = { after: upload(segment, after), last: upload(segment, last) };
        const judged = await (await judge)?.run({ ...inputs, ...states });
        const sums = new Map<string, Float32Array>();
        for (const [name, shape] of totals) {
          sums.set(name, (await read(inputs, `total:${name}`, shape)).slice());
        }
        const slope = reverse(
          {
            after: await compute.read(judged?.after ?? inputs.change),
            last: judged?.last && (await compute.read(judged.last)),
          },
          { kernel: sums.get(PERCEPTION), layers: sums.get('genome')! },
        );
        const change = upload(segment, slope);
        const sent = Array.from(totals, ([name, shape]) => {
          return [`total:${name}`, compute.upload(shape, sums.get(name)!)] as const;
        });
        return {
          ...Object.fromEntries(sent),
          ...(judged && { nats: judged.nats, states: states.after }),
          ...(reverseBegin ? await (await reverseBegin).run({ ...inputs, change }) : { change }),
        };
      }),
  };
}

const program = (run: Program['run']): Program => ({ run, dispose: async () => {} });
