/**
 * Compiles the steps of a rollout as programs, one per segment of a few steps. To save memory,
 * training stores only the states between segments, and backpropagation recomputes the states
 * inside each segment.
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

/**
 * The only parameter that native code reads directly. All other weights, scales and biases reach
 * native code in the input `genome`, which `layerRows` computes from the other parameters and the
 * latents.
 */
const PERCEPTION = 'update.perceive.kernel';

/** A part of a rollout: a few steps at one stage, compiled as one program. */
export interface Segment {
  readonly stage: number;
  /** Number of steps, at least 1. */
  readonly steps: number;
  /** Whether neighbours occupy some cells of the patch. If so, the program has the input `open`. */
  readonly crowded?: boolean;
  /**
   * Whether wounds heal gradually from their rim. If so, the program has the input `closed` and,
   * with a target image, the input `seen`.
   */
  readonly rim?: boolean;
  /**
   * What happens before the first step. `seed`: each cell's channels are set to the first values of
   * the latent. `divide`: each cell divides into 2×2 cells. `go-on`: nothing.
   */
  readonly begin: 'seed' | 'divide' | 'go-on';
  /** Whether the loss penalises changes of cells in the last step. Needs a target image. */
  readonly rest?: boolean;
}

/**
 * Returns the segments that grow a patch from its seed.
 *
 * @param longest maximum number of steps per segment
 * @param steps number of steps for uniform growth; 0: the number in the checkpoint's card. Ignored
 *   for growth by doubling
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

/**
 * Returns the segments for further steps of a grown patch.
 *
 * @param longest maximum number of steps per segment
 */
export function stayingSegments(spec: DecoderSpec, steps: number, longest: number): Segment[] {
  return steps === 0 ? [] : cut('go-on', spec.side, steps, longest);
}

/**
 * Divides steps into segments. Only the first segment may be shorter than `longest`, so all later
 * segments share one program.
 */
function cut(begin: Segment['begin'], stage: number, steps: number, longest: number): Segment[] {
  const segments: Segment[] = [];
  for (let left = steps; left > 0; left -= segments[segments.length - 1].steps) {
    const isFirst = segments.length === 0;
    segments.push({ begin: isFirst ? begin : 'go-on', stage, steps: left % longest || longest });
  }
  return segments;
}

/** Inputs that are the same for all segments of a rollout. */
export type Conditioning = Awaited<ReturnType<Segments['condition']>>;

interface SegmentsOptions {
  readonly compute: Compute;
  readonly spec: DecoderSpec;
  /** Number of patches that a program computes together (N). */
  readonly batch: number;
  readonly likelihood: Likelihood;
  /** Options of the position loss, which is added if states are compared with a target image. */
  readonly places?: PositionLoss & { readonly sigma: number };
  /** Weight and σ of the penalty on changes in the last step, for segments with `rest`. */
  readonly rest?: { readonly weight: number; readonly sigma: number };
  /** If true, the rule is not trained, and only the latents need gradients. */
  readonly isKept?: boolean;
}

/**
 * Compiles the programs of segments for one batch size, when they are first needed.
 *
 * Inputs of all programs:
 * - the inputs that `condition` returns;
 * - `parameter:*`: the rule's parameters;
 * - `states` after the previous segment, unless the segment begins with a seed;
 * - `mask0`, `mask1`, … [N, s, s, 1]: update masks of the steps, if cells update at random;
 * - `open` [N, s, s, 1] for crowded segments: 0 for cells that neighbours occupy. These cells are
 *   zeroed before each step and left out of the loss;
 * - `closed` [N, s, s, 1] for segments with `rim`: number of steps until each cell opens (can live
 *   again). Closed cells are zeroed after each step.
 *
 * Further inputs of reverse programs:
 * - `total:*` with the shapes of `totalShapes`: sums of gradients, to which the program adds;
 * - `change`: gradient with respect to the states after the segment.
 *
 * Further inputs of reverse programs with a target image:
 * - `image` [N, s, s, c];
 * - `weight` [N]: factor of each patch's log-likelihood (in nats) in the loss;
 * - `places` [1, s, s, 4 · octaves], if there is a position loss;
 * - `seen` [N, s, s, 1] for segments with `rim`: 0 for cells left out of the loss, else 1.
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
   * Names and shapes of the gradients that reverse programs return: of the rule's parameters, of
   * `latents`, and of `genome` if segments have this input.
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
   * @param parameters the rule's parameters, named `parameter:*`
   * @param latents [N, Z]
   * @param leak leak of the rule; by default, the leak in the checkpoint's card
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
       * Always contains `latents` [N, Z]. Contains `leak`, a scalar, if `update.leak` is set.
       * Contains `genome` if cells read the latent in every step, or if native code is used. For
       * native code, `genome` is the result of `layerRows`.
       */
      inputs: { ...own, latents } as Values,
      /** Frees `genome` and `leak`. The caller must free `latents`. */
      free: () => this.options.compute.free(...Object.values(own)),
    };
  }

  /**
   * Compiles a program that backpropagates from the genome to the latents, through the net that
   * computes the genome. Inputs: `parameter:*`, `latents`, `total:genome`, `total:latents`.
   * Outputs: `total:latents`, to which the gradient through the genome has been added; `total:*` of
   * the net's parameters.
   *
   * @returns the program, or undefined if segments have no input `genome`
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

  /** Compiles a program that runs a segment. Output: `states` after the segment. */
  async forward(segment: Segment): Promise<Program> {
    if (this.native) return this.native.forward(segment, this.surroundings(segment));
    return this.program(`forward ${key(segment)}`, () => {
      const { after } = this.steps(segment, parameterInputs(updateShapes(this.spec)));
      return { states: after };
    });
  }

  /**
   * Compiles a program that recomputes a segment and backpropagates through it.
   *
   * Outputs:
   * - `total:*`: the gradients;
   * - `change`, unless the segment begins with a seed: gradient with respect to the states before
   *   the segment;
   * - `states` and `nats` [N], if there is a target image: the states after the segment, and the
   *   image's log-likelihood.
   *
   * @param from sources of the gradient: the comparison with a target image (`image`), the next
   *   segment (`change`), or both
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

  /**
   * Compiles the programs that run before and after a segment's steps, if native code computes the
   * steps.
   *
   * @param from sources of the gradient: the comparison with a target image (`image`), the next
   *   segment (`change`), or both; absent if there is no backpropagation
   */
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
   * Builds the training loss of a segment.
   *
   * @param after states after the segment
   * @param last states before the segment's last step
   * @returns `seeds` (not seeds of organisms): where backpropagation starts, as tensor expressions
   *   (`result`), each with the gradient of the loss at this expression (`change`); `nats`, if
   *   there is a target image: the image's log-likelihood, [N]
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
   * Compiles a program that computes log p(image | states). Inputs: `states`, `image`. Output:
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

  /** Whether segments have the input `genome`. Always true with native code. */
  private get readsGenome(): boolean {
    return this.native !== undefined || this.spec.update.standingInput;
  }

  /** Returns whether a parameter affects cells only through the input `genome` of segments. */
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

  /** Returns the mask of cells that count in the loss, [N, s, s, 1]; undefined if all count. */
  private judgedGround({ stage, crowded, rim }: Segment): Expression | undefined {
    if (rim) return g.inputMap('seen', this.mapShape(stage, 1));
    return crowded ? this.open(stage) : undefined;
  }

  private mapShape(side: number, channels: number): number[] {
    return [this.batch, side, side, channels];
  }

  /**
   * Builds the part of a segment before its first step, which creates the seed or divides the
   * cells.
   *
   * @returns `before`: the input states, unless the segment begins with a seed; `states`: the
   *   states at the first step; `latents`
   */
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
   * Builds the steps of a segment.
   *
   * @returns the states before the segment (`before`), before its last step (`last`) and after it
   *   (`after`); the inputs `latents` and `genome`, from which these states are computed
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
      // A decoder has no steps, so return its output as the states before the last step, too.
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

/** Programs before and after the steps of a segment that native code computes. */
interface Surroundings {
  /** Creates the seed or divides the cells. Output: `states`. Absent for `go-on` segments. */
  readonly begin?: Promise<Program> | undefined;
  /**
   * Backpropagates through the program `begin`. Input: `change`, the gradient with respect to the
   * states before the first step.
   */
  readonly reverseBegin?: Promise<Program> | undefined;
  /**
   * Computes the loss. Absent without a target image. Inputs: `after`, the states after the steps;
   * `last`, the states before the last step. Outputs: `nats`, the log-likelihoods [N]; `after`, the
   * gradient of the loss with respect to `after`; and the same for `last`, if the segment has `rest`.
   */
  readonly judge?: Promise<Program> | undefined;
}

/** Creates the methods `forward` and `reverse` of `Segments` for a back end with native code. */
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

    /** @param totals names and shapes of the gradients, as in `totalShapes` */
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
