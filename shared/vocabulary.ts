/**
 * The words of Vivarium as schemas and types: what both sides say about rooms, organisms and
 * participants.
 *
 * Coordinates are in cells, x to the right, y down, (0, 0) at the grid's upper left; place (i, j)
 * covers [i, i+1) × [j, j+1) and has its centre at (i + 0.5, j + 0.5).
 */

import * as v from 'valibot';
import { count, id, size } from './common-schemas.ts';
import type { RoomSettings } from './host/settings.ts';

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

/**
 * Identifies an organism of a room. Increases with each birth and is never reused; 0 is bare
 * ground.
 */
export type OrganismId = number;

/** Identifies a participant of a room for the length of their stay. */
export type ParticipantId = number;

/** Most flashes a second: 3 (WCAG 2.3.1), or 2 where a venue asks for less. */
export const flashLimit = v.picklist([2, 3]);
export type FlashLimit = v.InferOutput<typeof flashLimit>;

/**
 * An organism grows to its full side, is awake, sleeps when nothing changes, may depart and may die.
 */
const PHASES = ['growing', 'awake', 'asleep', 'departing', 'dead'] as const;
export type Phase = (typeof PHASES)[number];

/** Where a seed's latent came from: a drawing, the latent map, the dice (the prior), … */
const ORIGINS = ['gallery', 'prior', 'latent', 'cross', 'drawing', 'map', 'keepsake'] as const;
export type Origin = (typeof ORIGINS)[number];

export const origin = v.picklist(ORIGINS);

/** Who plants. 0: the host. */
export const planter = v.object({ id: count, name: v.string(), hue: v.number() });

/** What everybody may know of an organism. */
export const organismView = v.object({
  id,
  /** Centre of its window, in cells. */
  x: v.number(),
  y: v.number(),
  /** Full side S of its patch. */
  side: size,
  /** Side it has reached: 2, 4, … S. */
  stage: size,
  phase: v.picklist(PHASES),
  origin,
  /** Gallery name of what it was grown from, or '' for the nameless. */
  kind: v.string(),
  /** The two organisms it was crossed from, one that it is the heir of, or none. */
  parents: v.array(id),
  planter,
  /** Tick of planting. */
  born: count,
  /** Strokes that took some of its cells. */
  wounds: count,
  /** Wounds survived: how often it has come to rest in its former size after strokes. */
  healed: count,
  /** Whether it has a wound that has not healed. */
  hurt: v.boolean(),
  /** Kinds that it has been, oldest first; absent: none. */
  was: v.optional(v.array(v.string())),
});
export type OrganismView = DeepReadonly<v.InferOutput<typeof organismView>>;

/** What everybody may know of a participant. */
export const participantView = v.object({
  id,
  name: v.string(),
  /** OKLCH hue of the participant's colour, degrees 0…360. */
  hue: v.number(),
});
export type ParticipantView = DeepReadonly<v.InferOutput<typeof participantView>>;

/** The host as a planter and actor, id 0. Participants are numbered from 1. */
export const HOUSE: ParticipantView = { id: 0, name: '', hue: 90 };

/** A seed that a participant holds: made by the server (cross, drawing), planted by its id. */
export const seedView = v.object({ id, origin, parents: v.array(id) });
export type SeedView = DeepReadonly<v.InferOutput<typeof seedView>>;

/** What acts cost in a room. Meanings of the numbers: `DEFAULTS.energy`. */
export type EnergySettings = Readonly<RoomSettings['energy']>;

/** How organisms live: ticks between two steps, by what they do, and seconds of a lifetime. */
export type LifeSettings = Readonly<Pick<RoomSettings, 'birth' | 'healing'>> & {
  /** Ticks between two steps of one that expresses a relative. */
  readonly expressing: number;
  /** Absent: for ever. */
  readonly lifetime?: number | undefined;
};

/** The tools of a visitor. */
export const TOOLS = ['plant', 'damage', 'look'] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * What an organism can die of: no cell was left; its rule ran away with its states, which are no
 * numbers any more; the host removed it; it departed, and has dissolved; or strokes killed all of it.
 */
const CAUSES = ['no-cell-left', 'broken', 'removed', 'departed', 'killed'] as const;
export const cause = v.picklist(CAUSES);
export type Cause = (typeof CAUSES)[number];

/**
 * What can happen to a planter's organism: others wound it, plant a child of it, take ground that it
 * has lost by a wound, or have it turn into something else; it departs, and its planter can renew
 * it; or it has departed for good.
 */
const HOW = ['wounded', 'crossed', 'outgrown', 'transformed', 'departing', 'departed'] as const;
export const how = v.picklist(HOW);
export type How = (typeof HOW)[number];

/** What happened to organisms in one tick, in order. */
export const lifeEvent = v.variant('what', [
  v.object({ what: v.literal('born'), organism: organismView }),
  v.object({ what: v.literal('divided'), id, stage: size }),
  v.object({ what: v.literal('grown'), id }),
  /**
   * A message of a stroke took some of its cells. `wounds` includes this stroke; it stays the same
   * while the stroke goes on.
   */
  v.object({ what: v.literal('wounded'), id, by: id, wounds: count }),
  /** It has come to rest at its former size after a wound; `healed` includes this time. */
  v.object({ what: v.literal('healed'), id, healed: count }),
  v.object({ what: v.literal('asleep'), id }),
  v.object({ what: v.literal('awake'), id }),
  /** A participant has it turn into something else: what it is from now on. */
  v.object({
    ...{ what: v.literal('transformed'), id, by: count, kind: v.string(), origin },
    parents: v.array(id),
  }),
  /** It dissolves from now on; unless the host has it depart, its planter can renew it. */
  v.object({ what: v.literal('departing'), id }),
  /** Its planter has renewed it: it no longer departs, and is in this phase. */
  v.object({ what: v.literal('renewed'), id, phase: v.picklist(PHASES) }),
  v.object({ what: v.literal('died'), id, cause }),
]);
export type LifeEvent = DeepReadonly<v.InferOutput<typeof lifeEvent>>;
