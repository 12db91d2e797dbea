/**
 * Records of a room's moderation: the host's decisions, and drawings and reports without a
 * decision.
 */
import * as v from 'valibot';
import { count, finite, id } from '../../../shared/common-schemas.ts';
import { REASONS } from '../../../shared/protocol/reasons.ts';
import { origin, participantView, planter } from '../../../shared/vocabulary.ts';

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** Wall clock, ms since the epoch. */
const at = finite;

/** Schemas of the items of each list. */
export const MODERATION = {
  /** Muted participants. */
  mutes: v.strictObject({ id }),
  /** Drawings that wait for the host's decision, or whose visitor has not received it yet. */
  drawings: v.strictObject({
    id,
    by: participantView,
    /** [side, side] ink or [side, side, 4] premultiplied RGBA. */
    pixels: bytes,
    /** [Z] */
    latent: v.custom<Float32Array>((value) => value instanceof Float32Array),
    /** When the drawing was sent. */
    at,
    /** `approved`, or the reason for a refusal; absent while the drawing waits. */
    decision: v.optional(v.picklist(['approved', ...REASONS])),
  }),
  /** Organisms that visitors have reported, as they looked when they were reported. */
  reports: v.strictObject({
    /** Number of the organism. */
    id,
    /** Tick of planting. A restored room may give the number of the organism to another one. */
    born: count,
    kind: v.string(),
    origin,
    planter,
    side: count,
    /** [side, side, 4] the organism's cells on black. */
    rgba: bytes,
    /** Tick of `rgba`. */
    pictured: count,
    /** Participants who have reported the organism, each listed once. */
    reporters: v.array(id),
    /** Number of reporters, counted from the first, whose reports the host has dismissed. */
    dismissed: count,
    /** When the first report arrived that has not been dismissed. */
    since: at,
  }),
} as const;

/** The stored lists of a room. */
export type Moderation = {
  readonly [List in keyof typeof MODERATION]: readonly v.InferOutput<(typeof MODERATION)[List]>[];
};

/**
 * Stores an item of a list under its id. Without an item, removes the stored one.
 *
 * @throws Refusal elsewhere if it cannot be stored, because another server may lead the room now
 */
export type KeepItem = <List extends keyof Moderation>(
  list: List,
  id: number,
  item?: Moderation[List][number],
) => Promise<void>;

/** Ignores that an item could not be stored: the failure is logged, and no caller waits for it. */
export const unkept = (): void => {};
