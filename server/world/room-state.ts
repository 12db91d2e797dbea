/**
 * All that a room is between two ticks, as a plain value; with the engine's states of its patches, a room goes on from it bit
 * for bit. Commands that still wait are no part of it: they have not been answered.
 *
 * Whoever gives rooms or organisms a new field that outlives a tick adds it here, to `exportOrganism` or `Room.export`, and
 * raises the version.
 */
import * as v from 'valibot';
import type { resumeRandom } from '../../shared/random.ts';
import { ORIGINS } from '../../shared/vocabulary.ts';
import type { PatchId } from '../engine/engine.ts';
import type { Organism } from './organism.ts';

/** Version 1 knew nothing of healing, version 2 nothing of who is here; they are still read. */
export const ROOM_STATE_VERSION = 3;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(whole, v.minValue(1));
const word = v.pipe(whole, v.maxValue(0xffffffff));
const latent = v.custom<Float32Array>((value) => value instanceof Float32Array);
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const owners = v.custom<Uint32Array>((value) => value instanceof Uint32Array);
const origin = v.picklist(ORIGINS);
const parents = v.array(positive);
const number = v.pipe(v.number(), v.finite());

export const energySettings = v.strictObject({
  capacity: number,
  newcomer: number,
  refillPerSecond: number,
  plant: number,
  damagePerCell: number,
});

const organismState = v.strictObject({
  id: positive,
  window: v.strictObject({
    x: v.pipe(v.number(), v.integer()),
    y: v.pipe(v.number(), v.integer()),
    width: positive,
    height: positive,
  }),
  latent,
  origin,
  kind: v.string(),
  parents,
  planter: v.strictObject({ id: whole, name: v.string(), hue: v.number() }),
  born: whole,
  phase: v.picklist(['growing', 'awake', 'asleep']),
  age: whole,
  stage: positive,
  wounds: whole,
  healed: v.optional(whole, 0),
  hurt: v.optional(whole),
  awakeSteps: whole,
  stirs: whole,
  restTicks: whole,
  /** [S, S] */
  pressing: bytes,
  seen: v.optional(bytes),
});

export const roomState = v.pipe(
  v.strictObject({
    version: v.picklist([1, 2, ROOM_STATE_VERSION]),
    tick: whole,
    maxOrganisms: positive,
    nextOrganism: positive,
    /** Highest participant that has done anything. */
    lastParticipant: whole,
    /** How many of the next tick's events have acted already. */
    acted: whole,
    random: v.strictObject({
      words: v.tuple([word, word, word, word]),
      spare: v.optional(v.number()),
    }),
    hands: v.strictObject({
      nextId: positive,
      held: v.array(
        v.strictObject({
          participant: positive,
          seeds: v.array(v.strictObject({ id: positive, origin, parents, latent })),
        }),
      ),
    }),
    energy: v.strictObject({
      settings: energySettings,
      tickRate: number,
      accounts: v.array(
        v.strictObject({
          participant: positive,
          level: number,
          at: whole,
          end: v.optional(v.strictObject({ x: number, y: number, radius: number })),
        }),
      ),
    }),
    /** Absent in a room of an earlier release, until an `attendance` event. */
    attendance: v.optional(
      v.strictObject({
        present: v.array(positive),
        absent: v.array(v.strictObject({ participant: positive, since: whole })),
      }),
    ),
    organisms: v.array(organismState),
    planes: v.strictObject({
      width: positive,
      height: positive,
      /** [height, width, 4] */
      rgba: bytes,
      /** [height, width] */
      owner: owners,
    }),
  }),
  v.check(({ planes: { width, height, rgba, owner } }) => {
    return rgba.length === 4 * width * height && owner.length === width * height;
  }, 'planes are not of their size'),
  v.check(({ organisms, nextOrganism }) => {
    const ids = organisms.map(({ id }) => id);
    return ids.every((id, i) => id < nextOrganism && (i === 0 || ids[i - 1] < id));
  }, 'organisms are not in order'),
);

export type RoomState = v.InferOutput<typeof roomState>;
type OrganismState = v.InferOutput<typeof organismState>;

/** The generator's state as a plain value. */
export function exportRandom(random: ReturnType<typeof resumeRandom>): RoomState['random'] {
  const { words, spare } = random.state();
  return { words: [...words], ...(spare !== undefined && { spare }) };
}

/** Nothing in it changes when the organism does. */
export function exportOrganism(organism: Organism): OrganismState {
  // Patches are the engine's names; strokes are spent before a tick ends; the dead are gone.
  const {
    patch: _,
    woundMask: _spent,
    isRestored: _engine,
    hurt,
    phase,
    pressing,
    seen,
    ...kept
  } = organism;
  return {
    ...kept,
    window: { ...kept.window },
    planter: { ...kept.planter },
    parents: [...kept.parents],
    phase: phase as Exclude<typeof phase, 'dead'>,
    pressing: pressing.slice(),
    ...(hurt !== undefined && { hurt }),
    ...(seen && { seen }),
  };
}

/** @param patch its name in the engine from now on */
export function importOrganism(state: OrganismState, patch: PatchId): Organism {
  return {
    ...state,
    patch,
    woundMask: undefined,
    isRestored: true,
    hurt: state.hurt,
    seen: state.seen,
  };
}

/** Largest difference of two read-outs' values, 0…255; 255 when they cannot be compared. */
export function largestChange(before: Uint8Array | undefined, after: Uint8Array): number {
  if (before?.length !== after.length) return 255;
  let largest = 0;
  for (let i = 0; i < after.length; i++) {
    largest = Math.max(largest, Math.abs(after[i] - before[i]));
  }
  return largest;
}
