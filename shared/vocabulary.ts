/**
 * Schemas and types for rooms, organisms and participants, which the server and all pages share.
 *
 * Coordinates are in cells, x to the right, y down, with (0, 0) at the upper left of the grid. Cell
 * (i, j) covers [i, i+1) × [j, j+1), and its centre is at (i + 0.5, j + 0.5).
 */

import * as v from 'valibot';
import { count, id, size, whole } from './common-schemas.ts';
import type { RoomSettings } from './host/room-settings.ts';

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

/**
 * Id of an organism in its room. Ids increase with each birth and are never reused. 0 means bare
 * ground.
 */
export type OrganismId = number;

/** Id of a participant in a room. It is valid until the participant leaves the room for good. */
export type ParticipantId = number;

/** Maximum number of flashes per second: 3 (WCAG 2.3.1), or 2 for venues with a stricter limit. */
export const flashLimit = v.picklist([2, 3]);
export type FlashLimit = v.InferOutput<typeof flashLimit>;
export const DEFAULT_FLASH_LIMIT: FlashLimit = 3;

const within = (most: number) => v.pipe(v.number(), v.minValue(0), v.maxValue(most));
/**
 * Time of year, in months since the middle of winter (0…12), and time of day, in hours (0…24), at
 * the server's location.
 */
export const sky = v.tuple([within(12), within(24)]);
export type Sky = v.InferOutput<typeof sky>;

/**
 * Phases of an organism's life. An organism is asleep if its cells no longer change. A departing
 * organism dissolves.
 */
const PHASES = ['growing', 'awake', 'asleep', 'departing', 'dead'] as const;
export type Phase = (typeof PHASES)[number];

/** Source of a seed's latent, such as a drawing, the latent map or a random draw (`prior`). */
const ORIGINS = ['gallery', 'prior', 'latent', 'cross', 'drawing', 'map', 'keepsake'] as const;
export type Origin = (typeof ORIGINS)[number];

export const origin = v.picklist(ORIGINS);

/** The planter of an organism. Id 0 means the host. */
export const planter = v.object({ id: count, name: v.string(), hue: v.number() });

/** A part of a chimera, an organism with parts of other creatures. */
export const part = v.object({
  /** Gallery name of the part's genome; '' if the genome is nameless. */
  kind: v.string(),
  origin,
  /**
   * The person who painted the part. Absent for the organism's own genome, and for parts that were
   * not painted but belonged to the organism's seed.
   */
  by: v.optional(planter),
  /** Share of the organism's cells that read this part's genome, 0…1. */
  share: v.number(),
});
export type Part = DeepReadonly<v.InferOutput<typeof part>>;

/** The public data of an organism. */
export const organismView = v.object({
  id,
  /** Centre of the organism's window, in cells. */
  x: v.number(),
  y: v.number(),
  /** Side of the organism's patch when it is grown, in cells. */
  side: size,
  /**
   * Current side of the organism's patch, in cells. It grows in steps: from 2, it doubles until it
   * reaches the full side.
   */
  stage: size,
  phase: v.picklist(PHASES),
  origin,
  /** Gallery name of the organism's seed; '' if the seed is nameless. */
  kind: v.string(),
  /**
   * Ids of the organism's parents: two if it is a cross, one if it is an heir that copies one
   * parent, otherwise none.
   */
  parents: v.array(id),
  planter,
  born: count,
  /** Number of strokes that have removed some of the organism's cells. */
  wounds: count,
  /**
   * Number of healed wounds. A wound counts as healed when the organism comes to rest at about its
   * former size.
   */
  healed: count,
  /** Whether the organism has a wound that has not healed. */
  hurt: v.boolean(),
  /** The organism's earlier kinds, oldest first. Absent if there are none. */
  was: v.optional(v.array(v.string())),
  /**
   * The parts of a chimera (an organism with grafts), beginning with its own genome. Absent if all
   * cells read the same genome.
   */
  parts: v.optional(v.array(part)),
});
export type OrganismView = DeepReadonly<v.InferOutput<typeof organismView>>;

/** The public data of a participant. */
export const participantView = v.object({
  id,
  name: v.string(),
  /** OKLCH hue of the participant's colour, degrees 0…360. */
  hue: v.number(),
});
export type ParticipantView = DeepReadonly<v.InferOutput<typeof participantView>>;

/**
 * The host, as the planter of organisms and the sender of commands. The host's id is 0;
 * participants' ids start at 1.
 */
export const HOUSE: ParticipantView = { id: 0, name: '', hue: 90 };

/**
 * Maximum number of seeds in a participant's hand. When another seed is added, the oldest is
 * dropped.
 */
export const MAX_SEEDS_IN_HAND = 8;

/**
 * Number of rings of a touch table. Each person at the table uses one ring, so this is also how
 * many people can use the table at the same time.
 */
export const RINGS = 10;

/** Number of a ring (one person at a touch table), from 0. */
export const ringNumber = whole(0, RINGS - 1);

/** A seed in a participant's hand, made by the server from a cross or a drawing. */
export const seedView = v.object({ id, origin, parents: v.array(id) });
export type SeedView = DeepReadonly<v.InferOutput<typeof seedView>>;

/** Energy and costs of actions in a room: see `energy` in host/room-settings.ts. */
export type EnergySettings = Readonly<RoomSettings['energy']>;

/**
 * Settings for the lives of organisms: for each activity, the number of ticks from one step to the
 * next; and the organisms' lifetime.
 */
export type LifeSettings = Readonly<Pick<RoomSettings, 'birth' | 'healing'>> & {
  /** Ticks from one step to the next while an organism expresses (resembles) a relative. */
  readonly expressing: number;
  /**
   * Age, in seconds, at which an organism departs if the room is busy. If absent, organisms can
   * reach any age.
   */
  readonly lifetime?: number | undefined;
};

export const TOOLS = ['plant', 'graft', 'damage', 'look'] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * Causes of death: no cell was left; the network diverged, so that cell states are no longer finite
 * numbers; the host removed the organism; it departed and has dissolved; strokes killed all its
 * cells.
 */
const CAUSES = ['no-cell-left', 'broken', 'removed', 'departed', 'killed'] as const;
export const cause = v.picklist(CAUSES);
export type Cause = (typeof CAUSES)[number];

/**
 * What a planter can be told about an organism. Somebody else has wounded the organism, planted a
 * child of it, taken ground that it had lost to a wound, transformed it, or grafted a part onto it.
 * Or the organism is departing and the planter can still renew it, or it has departed for good.
 */
const HOW = [
  'wounded',
  'crossed',
  'outgrown',
  'transformed',
  'grafted',
  'departing',
  'departed',
] as const;
export const how = v.picklist(HOW);
export type How = (typeof HOW)[number];

export const lifeEvent = v.variant('what', [
  v.object({ what: v.literal('born'), organism: organismView }),
  v.object({ what: v.literal('divided'), id, stage: size }),
  v.object({ what: v.literal('grown'), id }),
  /**
   * A stroke has killed some of the organism's cells. If the stroke is split into several messages,
   * each of them can cause this event, but `wounds` counts the stroke only once.
   */
  v.object({ what: v.literal('wounded'), id, by: id, wounds: count }),
  /**
   * The organism has come to rest at about its former size after a wound. `healed` is the number of
   * healed wounds, including this one.
   */
  v.object({ what: v.literal('healed'), id, healed: count }),
  /**
   * The organism has fallen asleep. If it is a chimera, `parts` contains the new shares of its
   * parts.
   */
  v.object({ what: v.literal('asleep'), id, parts: v.optional(v.array(part)) }),
  v.object({ what: v.literal('awake'), id }),
  /** Somebody in the hall is near the organism. */
  v.object({ what: v.literal('sensed'), id }),
  /** A participant has transformed the organism. The fields describe what the organism is now. */
  v.object({
    ...{ what: v.literal('transformed'), id, by: count, kind: v.string(), origin },
    parents: v.array(id),
  }),
  /**
   * A participant has grafted a part onto the organism, or has removed grafts. `kind` is the
   * gallery name of the grafted genome; absent if grafts were removed.
   */
  v.object({
    ...{ what: v.literal('grafted'), id, by: count, kind: v.optional(v.string()) },
    parts: v.optional(v.array(part)),
  }),
  /**
   * The organism is beginning to dissolve. Its planter can renew it, unless the host made it
   * depart.
   */
  v.object({ what: v.literal('departing'), id }),
  /** The planter has renewed the organism, so it no longer departs. `phase` is its new phase. */
  v.object({ what: v.literal('renewed'), id, phase: v.picklist(PHASES) }),
  v.object({ what: v.literal('died'), id, cause }),
]);
export type LifeEvent = DeepReadonly<v.InferOutput<typeof lifeEvent>>;
