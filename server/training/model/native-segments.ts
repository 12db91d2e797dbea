/** Segments whose steps are computed by native code, as programs with the inputs of `Segments`. */
import { type Compute, inputOf, type Program, type Values } from '../../autodiff/compute.ts';
import type { NativeSteps } from '../../engine/native/native.ts';
import type { Card } from '../../vnca/card.ts';

/** The only parameter that native code reads itself. All others are in its `genome`. */
export const PERCEPTION = 'update.perceive.kernel';

/** A few steps at one stage. */
export interface Steps {
  /** Side of the patch during the steps. */
  readonly stage: number;
  /** Number of steps, 1… */
  readonly steps: number;
  /** Whether part of the ground is closed: see the input `open` of the programs. */
  readonly crowded?: boolean;
  /** Whether wounds close from their rim: see the inputs `closed` and `seen` of the programs. */
  readonly rim?: boolean;
}

/** What the programs of segments are for. */
export interface Basis {
  readonly compute: Compute;
  readonly spec: Pick<Card, 'channels' | 'update'>;
  /** Number of samples per run of a program, N. */
  readonly batch: number;
  /** Number of genomes of each patch, G. If absent, 1. */
  readonly genomes?: number;
}

/** Programs for what surrounds the steps of a segment. */
export interface Surroundings {
  /** For a segment with an action before its steps: computes the `states` after this action. */
  readonly begin?: Promise<Program> | undefined;
  /** Backpropagates `change`, the gradient of these states, to the inputs of the action. */
  readonly reverseBegin?: Promise<Program> | undefined;
  /**
   * For a target image: from `after` and `last`, the states after the steps and before the last one,
   * computes `nats` and the gradients `after` and, if necessary, `last`.
   */
  readonly judge?: Promise<Program> | undefined;
}

/** Returns functions as those of `Segments`. */
export function nativeSegments(
  { compute, spec: { channels, update }, batch, genomes = 1 }: Basis,
  native: NativeSteps,
) {
  const genomeShape = [update.standingInput ? batch * genomes : 1, native.rowSize];
  const read = (inputs: Values, name: string, shape: readonly number[]) =>
    compute.read(inputOf(inputs, name, shape));
  const upload = ({ stage }: Steps, states: Float32Array) =>
    compute.upload([batch, stage, stage, channels], states);

  const take = async (
    { stage, steps, crowded, rim }: Steps,
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
        ...{ side: stage, count: batch, genomes, steps, masks },
        leak: update.leak > 0 ? (await read(inputs, 'leak', []))[0] : 0,
        kernel: await read(inputs, `parameter:${PERCEPTION}`, [3, 3, channels, update.hidden]),
        layers: await read(inputs, 'genome', genomeShape),
        states: await read(begun, 'states', [batch, stage, stage, channels]),
        open: crowded ? await map('open') : undefined,
        closed: rim ? await map('closed') : undefined,
        weights: genomes > 1 ? await map('weights', genomes) : undefined,
      },
      keeps,
    );
  };

  return {
    genomeShape,
    forward: (segment: Steps, { begin }: Surroundings): Program =>
      program(async (inputs) => {
        const { after } = await take(segment, inputs, begin, false);
        return { states: upload(segment, after) };
      }),

    /** @param totals shapes of the totals */
    reverse: (
      segment: Steps,
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
