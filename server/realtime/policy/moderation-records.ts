/**
 * Stored records about the moderation of a room: the host's decisions, and the drawings and reports
 * that await a decision.
 */
import * as v from 'valibot';
import { count, finite, id } from '../../../shared/common-schemas.ts';
import { REASONS } from '../../../shared/protocol/reasons.ts';
import { origin, part, participantView, planter } from '../../../shared/vocabulary.ts';

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** A time by the wall clock, in ms since the epoch. */
const at = finite;

/** For each list, the schema of its items. */
export const MODERATION = {
  /** Muted participants. */
  mutes: v.strictObject({ id }),
  /**
   * Drawings that are waiting for the host's decision, or whose visitor has not received it yet.
   */
  drawings: v.strictObject({
    id,
    by: participantView,
    /** [side, side] ink or [side, side, 4] premultiplied RGBA. */
    pixels: bytes,
    /** The drawing's latent, [latentSize]. */
    latent: v.custom<Float32Array>((value) => value instanceof Float32Array),
    /** When the drawing was sent. */
    at,
    /** `approved`, or the reason for a refusal; absent while the drawing is waiting. */
    decision: v.optional(v.picklist(['approved', ...REASONS])),
  }),
  /** Organisms that visitors have reported, as they looked when they were reported. */
  reports: v.strictObject({
    /** Id of the organism. */
    id,
    /**
     * Tick at which the organism was planted. It distinguishes organisms, because a restored room
     * may reuse an id.
     */
    born: count,
    kind: v.string(),
    origin,
    planter,
    /** The parts of a chimera. */
    parts: v.optional(v.array(part)),
    side: count,
    /** RGBA picture of the organism's cells on a black background, [side, side, 4]. */
    rgba: bytes,
    /** Tick at which `rgba` was captured. */
    pictured: count,
    /** Participants who have reported the organism, each listed once. */
    reporters: v.array(id),
    /**
     * Number of reporters whose reports the host has dismissed; these reporters come first in
     * `reporters`.
     */
    dismissed: count,
    /** When the first report that has not been dismissed arrived. */
    since: at,
  }),
} as const;

/** The stored lists of a room. */
export type Moderation = {
  readonly [List in keyof typeof MODERATION]: readonly v.InferOutput<(typeof MODERATION)[List]>[];
};

/**
 * Stores an item of a list under its id. If no item is given, removes the stored item.
 *
 * @throws Refusal elsewhere if it cannot be stored, because another server may now be leading the
 *   room
 */
export type KeepItem = <List extends keyof Moderation>(
  list: List,
  id: number,
  item?: Moderation[List][number],
) => Promise<void>;

/**
 * Ignores that an item could not be stored, because the failure has been logged and no caller waits
 * for the result.
 */
export const unkept = (): void => {};
