/**
 * The words of Vivarium as types: what both sides say about rooms, organisms and participants.
 *
 * Coordinates are in cells, x to the right, y down, (0, 0) at the grid's upper left; place (i, j)
 * covers [i, i+1) × [j, j+1) and has its centre at (i + 0.5, j + 0.5).
 */

/**
 * Identifies an organism of a room. Increases with each birth and is never reused; 0 is bare
 * ground.
 */
export type OrganismId = number;

/** Identifies a participant of a room for the length of their stay. */
export type ParticipantId = number;

/** An organism grows to its full side, is awake, sleeps when nothing changes, and may die. */
export type Phase = 'growing' | 'awake' | 'asleep' | 'dead';

/** Where a seed's latent came from: a drawing, the latent map, the dice (the prior), … */
export const ORIGINS = [
  'gallery',
  'prior',
  'latent',
  'cross',
  'drawing',
  'map',
  'keepsake',
] as const;
export type Origin = (typeof ORIGINS)[number];

/** What everybody may know of an organism. */
export interface OrganismView {
  readonly id: OrganismId;
  /** Centre of its window, in cells. */
  readonly x: number;
  readonly y: number;
  /** Full side S of its patch. */
  readonly side: number;
  /** Side it has reached: 2, 4, … S. */
  readonly stage: number;
  readonly phase: Phase;
  readonly origin: Origin;
  /** Gallery name of what it was grown from, or '' for the nameless. */
  readonly kind: string;
  /** The two organisms it was crossed from, or none. */
  readonly parents: readonly OrganismId[];
  readonly planter: { readonly id: ParticipantId; readonly name: string; readonly hue: number };
  /** Tick of planting. */
  readonly born: number;
  /** Strokes that took some of its cells. */
  readonly wounds: number;
  /** Wounds survived: how often it has come to rest in its former size after strokes. */
  readonly healed: number;
  /** Whether it has a wound that has not healed. */
  readonly hurt: boolean;
}

/** The host as a planter and actor, id 0. Participants are numbered from 1. */
export const HOUSE: ParticipantView = { id: 0, name: '', hue: 90 };

/** What everybody may know of a participant. */
export interface ParticipantView {
  readonly id: ParticipantId;
  readonly name: string;
  /** OKLCH hue of the participant's colour, degrees 0…360. */
  readonly hue: number;
}

/** A seed that a participant holds: made by the server (cross, drawing), planted by its id. */
export interface SeedView {
  readonly id: number;
  readonly origin: Origin;
  readonly parents: readonly OrganismId[];
}

/** What acts cost in a room. Meanings of the numbers: `DEFAULTS.energy`. */
export interface EnergySettings {
  readonly capacity: number;
  readonly newcomer: number;
  readonly refillPerSecond: number;
  readonly plant: number;
  readonly damagePerCell: number;
}

/** The tools of a visitor. */
export const TOOLS = ['plant', 'damage', 'look'] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * What an organism can die of: no cell was left; its rule ran away with its states, which are no
 * numbers any more; the host removed it; or it departed, to make room.
 */
export const CAUSES = ['no-cell-left', 'broken', 'removed', 'departed'] as const;
export type Cause = (typeof CAUSES)[number];

/** What happened to organisms in one tick, in order. */
export type LifeEvent =
  | { readonly what: 'born'; readonly organism: OrganismView }
  | { readonly what: 'divided'; readonly id: OrganismId; readonly stage: number }
  | { readonly what: 'grown'; readonly id: OrganismId }
  | {
      readonly what: 'wounded';
      readonly id: OrganismId;
      readonly by: ParticipantId;
      /** Wounds including this one, so that clients joining mid-tick do not count it twice. */
      readonly wounds: number;
    }
  /** It has come to rest at its former size after a wound; `healed` includes this time. */
  | { readonly what: 'healed'; readonly id: OrganismId; readonly healed: number }
  | { readonly what: 'asleep'; readonly id: OrganismId }
  | { readonly what: 'awake'; readonly id: OrganismId }
  | { readonly what: 'died'; readonly id: OrganismId; readonly cause: Cause };
