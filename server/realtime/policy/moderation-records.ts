/** Records of a room's host: decisions, and drawings and reports that wait for one. */
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
  /** Drawings that wait for the host's decision, or whose visitor does not know it yet. */
  drawings: v.strictObject({
    id,
    by: participantView,
    /** [side, side] ink or [side, side, 4] premultiplied RGBA. */
    pixels: bytes,
    /** [Z] */
    latent: v.custom<Float32Array>((value) => value instanceof Float32Array),
    /** When it was sent. */
    at,
    /** `approved`, or why it was refused; absent: it waits. */
    decision: v.optional(v.picklist(['approved', ...REASONS])),
  }),
  /** Organisms that visitors have reported, as they were at that time. */
  reports: v.strictObject({
    /** Number of the organism. */
    id,
    /** Tick of its planting: a restored room may give its number again. */
    born: count,
    kind: v.string(),
    origin,
    planter,
    side: count,
    /** [side, side, 4] its cells on black. */
    rgba: bytes,
    /** Tick of `rgba`. */
    pictured: count,
    /** Participants who have reported it, each once. */
    reporters: v.array(id),
    /** Number of reporters, from the first on, whose reports the host has dismissed. */
    dismissed: count,
    /** When the first report came that is not dismissed. */
    since: at,
  }),
} as const;

/** The stored lists of a room. */
export type Moderation = {
  readonly [List in keyof typeof MODERATION]: readonly v.InferOutput<(typeof MODERATION)[List]>[];
};

/**
 * Stores an item of a list under its id, or removes it.
 *
 * @throws Refusal elsewhere: it is not stored, as another server may own the room by now
 */
export type KeepItem = <List extends keyof Moderation>(
  list: List,
  id: number,
  item?: Moderation[List][number],
) => Promise<void>;

/** Ignores that an item was not stored: the log names it, and nobody waits for it. */
export const unkept = (): void => {};
