/**
 * Vivarium's vocabulary as schemas and types, with which server and pages describe rooms, organisms
 * and participants.
 *
 * Coordinates are in cells, x to the right, y down, (0, 0) at the grid's upper left; cell (i, j)
 * covers [i, i+1) × [j, j+1) and has its centre at (i + 0.5, j + 0.5).
 */

import * as v from 'valibot';
import { count, id, size, whole } from './common-schemas.ts';
import type { RoomSettings } from './host/room-settings.ts';

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** Id of an organism in its room. Increases with each birth, never reused; 0 is bare ground. */
export type OrganismId = number;

/** Identifies a participant of a room for the length of their stay. */
export type ParticipantId = number;

/** Maximum number of flashes per second: 3 (WCAG 2.3.1), or 2 if a venue asks for less. */
export const flashLimit = v.picklist([2, 3]);
export type FlashLimit = v.InferOutput<typeof flashLimit>;
export const DEFAULT_FLASH_LIMIT: FlashLimit = 3;

const within = (most: number) => v.pipe(v.number(), v.minValue(0), v.maxValue(most));
/** Season in months since the middle of winter, and hour of the day, at the server's place. */
export const sky = v.tuple([within(12), within(24)]);
export type Sky = v.InferOutput<typeof sky>;

/** An organism grows, is awake, sleeps when nothing changes, may depart and may die. */
const PHASES = ['growing', 'awake', 'asleep', 'departing', 'dead'] as const;
export type Phase = (typeof PHASES)[number];

/** Source of a seed's latent, such as a drawing, the latent map or the dice (the prior). */
const ORIGINS = ['gallery', 'prior', 'latent', 'cross', 'drawing', 'map', 'keepsake'] as const;
export type Origin = (typeof ORIGINS)[number];

export const origin = v.picklist(ORIGINS);

/** The planter of an organism. Id 0: the host. */
export const planter = v.object({ id: count, name: v.string(), hue: v.number() });

/** A part of a chimera, an organism with parts of other creatures. */
export const part = v.object({
  /** Gallery name of the part's genome; '' for nameless ones. */
  kind: v.string(),
  origin,
  /** Who painted it. Absent for the organism's own genome, and for parts that its seed had. */
  by: v.optional(planter),
  /** Share of the organism's cells that read this genome, 0…1. */
  share: v.number(),
});
export type Part = DeepReadonly<v.InferOutput<typeof part>>;

/** The public data of an organism. */
export const organismView = v.object({
  id,
  /** Centre of its window, in cells. */
  x: v.number(),
  y: v.number(),
  /** Full side S of its patch. */
  side: size,
  /** Side that its patch has reached: 2, 4, … S. */
  stage: size,
  phase: v.picklist(PHASES),
  origin,
  /** Gallery name of its seed; '' for nameless seeds. */
  kind: v.string(),
  /** Ids of its parents: two for a cross, one for an heir, otherwise none. */
  parents: v.array(id),
  planter,
  born: count,
  /** Number of strokes that have removed some of its cells. */
  wounds: count,
  /**
   * Number of healed wounds, which is how often it has come to rest at its former size after
   * strokes.
   */
  healed: count,
  /** Whether it has a wound that has not healed. */
  hurt: v.boolean(),
  /** Its earlier kinds, oldest first. Absent if it has none. */
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

/** The host as a planter and actor, id 0. Participants are numbered from 1. */
export const HOUSE: ParticipantView = { id: 0, name: '', hue: 90 };

/** Maximum number of seeds in a participant's hand. If one more is added, the oldest is dropped. */
export const MAX_SEEDS_IN_HAND = 8;

/** Number of rings of a table: of people who can use it at the same time. */
export const RINGS = 10;

/** A ring of a table, counted from 0. */
export const ringNumber = whole(0, RINGS - 1);

/** A seed in a participant's hand, made by the server from a cross or a drawing. */
export const seedView = v.object({ id, origin, parents: v.array(id) });
export type SeedView = DeepReadonly<v.InferOutput<typeof seedView>>;

/** Costs of actions in a room; see `energy` in host/room-settings.ts. */
export type EnergySettings = Readonly<RoomSettings['energy']>;

/**
 * How organisms live: the number of ticks between two steps for each activity, and their lifetime
 * in seconds.
 */
export type LifeSettings = Readonly<Pick<RoomSettings, 'birth' | 'healing'>> & {
  /** Ticks between two steps of an organism that expresses a relative. */
  readonly expressing: number;
  /** Seconds after which an organism departs from a busy room. If absent, it never does. */
  readonly lifetime?: number | undefined;
};

export const TOOLS = ['plant', 'graft', 'damage', 'look'] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * Causes of death: no cell was left; the rule diverged, so that states are no longer finite
 * numbers; the host removed the organism; it departed and has dissolved; or strokes killed all its
 * cells.
 */
const CAUSES = ['no-cell-left', 'broken', 'removed', 'departed', 'killed'] as const;
export const cause = v.picklist(CAUSES);
export type Cause = (typeof CAUSES)[number];

/**
 * Kinds of reports to the planter of an organism. Others wounded it, planted its child, took ground
 * that it lost to a wound, transformed it, or grafted a part onto it. It departs, and its planter can
 * still renew it. Or it has departed for good.
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

/** An event in an organism's life. */
export const lifeEvent = v.variant('what', [
  v.object({ what: v.literal('born'), organism: organismView }),
  v.object({ what: v.literal('divided'), id, stage: size }),
  v.object({ what: v.literal('grown'), id }),
  /**
   * A stroke, or a part of it, has removed some of the organism's cells. `wounds` counts each
   * stroke once, even if the stroke is split into several messages.
   */
  v.object({ what: v.literal('wounded'), id, by: id, wounds: count }),
  /**
   * The organism has come to rest at its former size after a wound. `healed` includes this wound.
   */
  v.object({ what: v.literal('healed'), id, healed: count }),
  /** `parts`: the parts of a chimera. Their shares change when the chimera comes to rest. */
  v.object({ what: v.literal('asleep'), id, parts: v.optional(v.array(part)) }),
  v.object({ what: v.literal('awake'), id }),
  /** Somebody in the hall is near it. */
  v.object({ what: v.literal('sensed'), id }),
  /** A participant has transformed it; the fields describe its new form. */
  v.object({
    ...{ what: v.literal('transformed'), id, by: count, kind: v.string(), origin },
    parents: v.array(id),
  }),
  /**
   * A participant has grafted parts onto it, or has taken grafts back. `kind` is the gallery name
   * of the grafted genome; absent if grafts were taken back.
   */
  v.object({
    ...{ what: v.literal('grafted'), id, by: count, kind: v.optional(v.string()) },
    parts: v.optional(v.array(part)),
  }),
  /** It starts to dissolve. Its planter can renew it, unless the host made it depart. */
  v.object({ what: v.literal('departing'), id }),
  /** Its planter has renewed it, so it no longer departs and is now in this phase. */
  v.object({ what: v.literal('renewed'), id, phase: v.picklist(PHASES) }),
  v.object({ what: v.literal('died'), id, cause }),
]);
export type LifeEvent = DeepReadonly<v.InferOutput<typeof lifeEvent>>;
