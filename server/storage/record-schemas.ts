/** Schemas and types of the store's records. */
import * as v from 'valibot';
import { id as positive, count as whole } from '../../shared/common-schemas.ts';
import { settingsChange } from '../../shared/host/room-settings.ts';
import { MOST_TIME_POINTS } from '../../shared/time-points.ts';
import { roomEvent } from '../world/commands.ts';

const text = v.string();

/** A room's parameters and the settings that the host has changed. */
export const planRecord = v.strictObject({
  name: text,
  width: positive,
  height: positive,
  seed: whole,
  checkpoint: text,
  /** Whether the host created the room. False for a room from the server's configuration. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

/**
 * List of data that were moved aside because they were damaged or because the host replaced them,
 * latest first.
 */
export const asideRecords = v.array(
  v.strictObject({
    /** Name of the folder that contains the data. */
    id: text,
    /** Room that the data belong to; null for a whole file, or for records of the whole server. */
    room: v.nullable(text),
    /** When the data were set aside, as wall-clock time in ms. */
    at: v.number(),
    /**
     * Type of the moved data. `file`: the whole data file. `room`: a room's state and history.
     * `records`: single damaged records. `replaced`: the data that the room had before the host put
     * earlier data back.
     */
    what: v.picklist(['file', 'room', 'records', 'replaced']),
    /** Tick of the snapshot from which the room was reopened; null if there was none. */
    tick: v.nullable(whole),
    why: text,
  }),
);
export type AsideRecord = v.InferOutput<typeof asideRecords>[number];

/** A room's parameters, which never change. */
export const roomRecord = v.strictObject({
  name: text,
  width: positive,
  height: positive,
  seed: whole,
  /**
   * The room's checkpoint: its name, and a fingerprint (a hash of weights and card properties) that
   * identifies it, because names are not unique.
   */
  checkpoint: v.strictObject({ name: text, hash: text }),
  /** When the room was created, as wall-clock time in ms. */
  made: v.number(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

/** The end of a room's journal: the last stored tick, and the number of entries so far. */
export const journalTailRecord = v.strictObject({ tick: whole, seq: whole });
export type JournalTail = v.InferOutput<typeof journalTailRecord>;

const jump = v.variant('why', [
  /** An undo of commands in the ticks `from` to `to`, both included. */
  v.strictObject({
    why: v.literal('undo'),
    from: whole,
    to: whole,
    /**
     * Id of the participant whose commands were undone. If null, the commands of everybody except
     * the host were undone.
     */
    by: v.nullable(whole),
    /**
     * If only one command was undone, the id that its sender gave the command. If absent, all
     * commands of `by` in these ticks were undone.
     */
    id: v.optional(whole),
  }),
  v.strictObject({ why: v.literal('restore'), tick: whole }),
]);
/** Why a room's state was replaced. */
export type Jump = v.InferOutput<typeof jump>;

/** A journal entry: commands and other events from outside a room, in one tick. */
export const journalRecord = v.strictObject({
  tick: positive,
  /** Sequence number, one more than that of the previous entry. Reveals missing entries. */
  seq: positive,
  /**
   * Wall-clock time at which the tick ran, in ms. It may be wrong if the clock was set later; see
   * `settled`.
   */
  at: v.number(),
  events: v.array(roomEvent),
  /** Indices of the refused commands among the tick's commands. */
  refused: v.optional(v.array(whole)),
  /** Whether entries before this one may be missing because writing failed. */
  gap: v.optional(v.literal(true)),
  /**
   * Set if the room's state was replaced in this tick. The snapshot of this tick stores the new
   * state.
   */
  jump: v.optional(jump),
});
export type JournalRecord = v.InferOutput<typeof journalRecord>;

/** Checksums of a room's planes (colours and owners of all grid cells) after a tick. */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /** A checksum over the individual checksums of all ticks from `since` to `tick`. */
  each: v.strictObject({ since: whole, sum: whole }),
});
export type PlaneChecksum = v.InferOutput<typeof planeChecksumRecord>;

/** A snapshot of a room. Its state and its organisms' cells are separate records. */
export const snapshotRecord = v.strictObject({
  tick: whole,
  /** Number of journal entries before the snapshot. */
  seq: whole,
  at: v.number(),
  /** The engine that computed the tick of the snapshot and the ticks after it. */
  engine: v.strictObject({ name: text, device: text }),
  /**
   * For each organism, in the order of the room's state: the tick of the snapshot that stored its
   * cells. If the cells are stored as a difference from earlier cells, `base` is the tick of these
   * earlier cells.
   */
  cells: v.array(v.strictObject({ id: positive, tick: whole, base: v.optional(whole) })),
  /**
   * Total number of bytes written for the snapshot and for the journal since the previous snapshot.
   */
  bytes: whole,
  /** Number of bytes written for the journal since the previous snapshot; included in `bytes`. */
  journal: whole,
  /** Name given by the host; named snapshots are kept. */
  name: v.optional(text),
  /**
   * The host's action that was about to happen when this snapshot was taken; absent if there was
   * none.
   */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /**
   * Set if the room's state was replaced in this tick, so that this snapshot cannot be computed
   * from earlier ones.
   */
  jump: v.optional(v.literal(true)),
  /**
   * Wall-clock times of ticks up to this snapshot, oldest first (`TickTimes`); absent if not known.
   */
  times: v.optional(
    v.pipe(
      v.array(v.strictObject({ tick: whole, at: v.number() })),
      v.maxLength(MOST_TIME_POINTS),
      v.readonly(),
    ),
  ),
});
export type SnapshotRecord = v.InferOutput<typeof snapshotRecord>;

/**
 * Whether a snapshot is named or was taken before a host's action. Such a snapshot is restored
 * without the journal after it, and special rules decide how long it is kept.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;
