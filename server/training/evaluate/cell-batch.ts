/** The cells of one batch of organisms, stepped by compiled programs or by the kernel of the rooms. */
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import type { StepRule } from '../../engine/backend.ts';
import { divide, seedState } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { drawMasks, uploadMasks } from '../model/networks.ts';
import type { Segment, Segments } from '../model/segments.ts';

/** Organisms of a batch: as many as fit into the processor's cache. */
export const BATCH = 8;

/** Steps the cells of a batch. */
export interface CellBatch {
  /** Runs a segment. The first one begins with a seed, unless there are states. */
  run(segment: Segment): Promise<void>;
  /** A copy of the states, [BATCH, s, s, C]. */
  read(): Promise<Float32Array>;
  /** Replaces the states. @param states [BATCH, s, s, C] */
  write(states: Float32Array): void;
  free(): void;
}

/** What a batch begins with. */
export interface BatchStart {
  /** [BATCH, Z]. */
  readonly latents: Float32Array;
  /** Seed of the update masks. */
  readonly seed: string;
  /** Initial states, [BATCH, s, s, C]; absent: the first segment begins with a seed. */
  readonly states?: Float32Array;
}

/** Begins a batch. */
export type BeginBatch = (start: BatchStart) => Promise<CellBatch>;

/** Uploads maps [BATCH, s, s, c]. */
export function uploadMap(compute: Compute, numbers: Float32Array, c: number): Value {
  const s = Math.sqrt(numbers.length / BATCH / c);
  return compute.upload([BATCH, s, s, c], numbers);
}

/** What `byPrograms` steps with. */
export interface Programs {
  readonly compute: Compute;
  readonly segments: Segments;
  readonly card: Card;
  /** `parameter:*`. */
  readonly parameters: Values;
}

/** Steps by compiled programs, each a segment. */
export const byPrograms =
  ({ compute, segments, card, parameters }: Programs): BeginBatch =>
  async ({ latents, seed, states: from }) => {
    const random = createRandom(hashText(seed));
    const z = compute.upload([BATCH, card.latentSize], latents);
    const conditioning = await segments.condition(parameters, z);
    let states = from && uploadMap(compute, from, card.channels);
    return {
      async run(segment) {
        const program = await segments.forward(segment);
        const drawn = drawMasks(card.update, BATCH, segment, random);
        const masks = uploadMasks(compute, drawn, segment);
        const before = states ? { states } : {};
        const inputs = { ...parameters, ...conditioning.inputs, ...masks, ...before };
        states = (await program.run(inputs)).states;
        compute.free(...Object.values(masks), ...Object.values(before));
      },
      read: async () => (await compute.read(states!)).slice(),
      write(numbers) {
        compute.free(states!);
        states = uploadMap(compute, numbers, card.channels);
      },
      free() {
        conditioning.free();
        compute.free(z, ...(states ? [states] : []));
      },
    };
  };

/** An organism that a rule steps. */
interface Organism {
  /** [Z]. */
  readonly latent: Float32Array;
  /** [K]; undefined for rules that do not read the latent in every step. */
  readonly conditioning: Float32Array | undefined;
  /** [s, s, C]; empty before its first segment. */
  state: Float32Array;
}

/** Steps by a rule of an engine's backend whose states are [s, s, C]. */
export const byRule =
  (rule: StepRule, card: Card): BeginBatch =>
  async ({ latents, seed, states: from }) => {
    const { channels, latentSize } = card;
    const random = createRandom(hashText(seed));
    const size = (from?.length ?? 0) / BATCH;
    const organisms = Array.from({ length: BATCH }, (_, i): Organism => {
      const latent = latents.subarray(i * latentSize, (i + 1) * latentSize);
      const state = from?.slice(i * size, (i + 1) * size) ?? new Float32Array();
      return { latent, conditioning: rule.condition?.(latent), state };
    });
    return {
      async run({ begin, stage, steps }) {
        const masks = drawMasks(card.update, BATCH, { stage, steps }, random);
        const cells = stage * stage;
        let after: Float32Array = new Float32Array(cells * channels);
        // One after the other through all steps: its states stay in the processor's cache.
        for (const [i, organism] of organisms.entries()) {
          const { latent, conditioning } = organism;
          let { state } = organism;
          if (begin === 'seed') state = seedState(latent, stage, channels);
          if (begin === 'divide') state = divide(state, channels);
          for (let step = 0; step < steps; step++) {
            const mask = masks[step]?.subarray(i * cells, (i + 1) * cells);
            await rule.step({
              ...{ count: 1, stage, states: state, after },
              ...(conditioning && { conditioning }),
              ...(mask && { mask }),
            });
            [state, after] = [after, state];
          }
          organism.state = state;
        }
      },
      async read() {
        const whole = new Float32Array(BATCH * organisms[0].state.length);
        organisms.forEach(({ state }, i) => {
          whole.set(state, i * state.length);
        });
        return whole;
      },
      write(numbers) {
        organisms.forEach((organism, i) => {
          const { length } = organism.state;
          organism.state = numbers.slice(i * length, (i + 1) * length);
        });
      },
      free() {},
    };
  };
