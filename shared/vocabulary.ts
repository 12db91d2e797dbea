/**
 * Schemas and types for rooms, organisms and participants.
 *
 * Coordinates are in cells, x to the right, y down, with (0, 0) at the upper left of the grid. Cell
 * (i, j) covers [i, i+1) × [j, j+1), and its centre is at (i + 0.5, j + 0.5).
 */

import * as v from 'valibot';
import { count, id, size, whole } from './common-schemas.ts';
import type { RoomSettings } from './host/room-settings.ts';
import { RINGS } from './limits.ts';

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** Id of an organism in its room. Ids increase and are never reused. 0 means bare ground. */
export type OrganismId = number;

/** Id of a participant in a room, valid until the participant leaves the room for good. */
export type ParticipantId = number;

/** Maximum number of flashes per second: 3 (WCAG 2.3.1), or 2 for venues with a stricter limit. */
export const flashLimit = v.picklist([2, 3]);
export type FlashLimit = v.InferOutput<typeof flashLimit>;

const within = (most: number) => v.pipe(v.number(), v.minValue(0), v.maxValue(most));
/**
 * Time of year, in months since midwinter (0…12), and time of day, in hours (0…24), at the server.
 */
export const sky = v.tuple([within(12), within(24)]);
export type Sky = v.InferOutput<typeof sky>;

/**
 * Phases of an organism's life. The cells of a sleeping organism no longer change. A departing
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

/** A part of a chimera (an organism with grafts). */
export const part = v.object({
  /** Name of the gallery creature whose genome this part reads; '' for any other genome. */
  kind: v.string(),
  origin,
  /** The person who painted the part. Absent if the part comes from the organism's seed. */
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
  /** Side length of the grown organism's patch, in cells. */
  side: size,
  /**
   * Current side length of the organism's patch, in cells. It doubles from 2 up to the full side
   * length.
   */
  stage: size,
  phase: v.picklist(PHASES),
  origin,
  /** Name of the gallery creature whose latent the organism has; '' for any other latent. */
  kind: v.string(),
  /** Ids of the organism's parents: two for a cross, one for an heir that copies one parent. */
  parents: v.array(id),
  planter,
  born: count,
  /** Number of strokes that have removed some of the organism's cells. */
  wounds: count,
  /**
   * Number of healed wounds. A wound heals when the organism comes to rest at about its former
   * size.
   */
  healed: count,
  /** Whether the organism has a wound that has not healed. */
  hurt: v.boolean(),
  /** The organism's earlier kinds, oldest first. Absent if there are none. */
  was: v.optional(v.array(v.string())),
  /** The parts of a chimera, its own genome first. Absent if all cells read the same genome. */
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

/** The host, as a planter of organisms and a sender of commands. Participants' ids start at 1. */
export const HOUSE: ParticipantView = { id: 0, name: '', hue: 90 };

/** Number of a ring (the circle of tools of one person at a touch table), from 0. */
export const ringNumber = whole(0, RINGS - 1);

/** A seed in a participant's hand, made by the server from a cross or a drawing. */
export const seedView = v.object({ id, origin, parents: v.array(id) });
export type SeedView = DeepReadonly<v.InferOutput<typeof seedView>>;

/** A room's settings for energy and the costs of actions. */
export type EnergySettings = Readonly<RoomSettings['energy']>;

/**
 * Settings for the lives of organisms: the number of ticks per step for each activity, and the
 * lifetime.
 */
export type LifeSettings = Readonly<Pick<RoomSettings, 'birth' | 'healing'>> & {
  /**
   * Number of ticks per step of an organism while it temporarily looks like a relative (a similar
   * creature).
   */
  readonly expressing: number;
  /**
   * Age, in seconds, at which an organism departs if the room is busy. If absent, there is no
   * limit.
   */
  readonly lifetime?: number | undefined;
};

export const TOOLS = ['plant', 'graft', 'damage', 'look'] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * Causes of death: no cell was left; cell states were no longer finite numbers; the host removed
 * the organism; the organism departed and dissolved; strokes killed all its cells.
 */
const CAUSES = ['no-cell-left', 'broken', 'removed', 'departed', 'killed'] as const;
export const cause = v.picklist(CAUSES);
export type Cause = (typeof CAUSES)[number];

/**
 * What a planter can be told about an organism.
 * - 'wounded', 'transformed', 'grafted': somebody else did this to the organism.
 * - 'crossed': somebody else planted a child of the organism.
 * - 'outgrown': another participant's organism grew into this organism's wound before it healed.
 * - 'departing', 'departed': the organism is dissolving, or has dissolved.
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
   * A stroke has killed some of the organism's cells. `wounds` is the number of such strokes. If a
   * stroke is split into several messages, this event may repeat, but `wounds` counts it once.
   */
  v.object({ what: v.literal('wounded'), id, by: id, wounds: count }),
  /**
   * A wound has healed: the organism has come to rest at about its former size. `healed` is the
   * organism's total number of healed wounds.
   */
  v.object({ what: v.literal('healed'), id, healed: count }),
  /**
   * The organism has fallen asleep. If it is a chimera, `parts` lists its parts with their current
   * shares of the organism's cells.
   */
  v.object({ what: v.literal('asleep'), id, parts: v.optional(v.array(part)) }),
  v.object({ what: v.literal('awake'), id }),
  /** Somebody in the hall is near the organism. */
  v.object({ what: v.literal('sensed'), id }),
  /** A participant has transformed the organism. The fields describe the organism afterwards. */
  v.object({
    ...{ what: v.literal('transformed'), id, by: count, kind: v.string(), origin },
    parents: v.array(id),
  }),
  /**
   * A participant has grafted a part onto the organism, or has removed grafts. `kind` is the name
   * of the grafted gallery creature ('' for any other genome); absent if grafts were removed.
   */
  v.object({
    ...{ what: v.literal('grafted'), id, by: count, kind: v.optional(v.string()) },
    parts: v.optional(v.array(part)),
  }),
  /**
   * The organism is beginning to dissolve. The planter can renew the organism, unless the host made
   * it depart.
   */
  v.object({ what: v.literal('departing'), id }),
  /** The planter has renewed the organism. `phase` is the organism's new phase. */
  v.object({ what: v.literal('renewed'), id, phase: v.picklist(PHASES) }),
  v.object({ what: v.literal('died'), id, cause }),
]);
export type LifeEvent = DeepReadonly<v.InferOutput<typeof lifeEvent>>;
