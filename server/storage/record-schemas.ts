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
  /** True if the host created the room. False if the room is in the server's configuration. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

/** List of data that were moved out of the store (damaged or replaced data), latest first. */
export const asideRecords = v.array(
  v.strictObject({
    /** Name of the folder that contains the data. */
    id: text,
    /**
     * Name of the room that the data belong to. Null for a whole data file or server-wide records.
     */
    room: v.nullable(text),
    /** When the data were set aside, as wall-clock time in ms. */
    at: v.number(),
    /**
     * What was set aside. `file`: the whole data file. `room`: a room's state and history.
     * `records`: single damaged records. `replaced`: a room's data that the host replaced by
     * earlier data.
     */
    what: v.picklist(['file', 'room', 'records', 'replaced']),
    /** If the room went back to a snapshot, the snapshot's tick; otherwise null. */
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
   * The room's checkpoint. `hash`: hash of the weights and of those properties in the checkpoint's
   * card that affect cells.
   */
  checkpoint: v.strictObject({ name: text, hash: text }),
  /** When the room was created, as wall-clock time in ms. */
  made: v.number(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

/**
 * The end of a room's journal. `tick`: last stored tick. `seq`: sequence number of the last entry.
 */
export const journalTailRecord = v.strictObject({ tick: whole, seq: whole });
export type JournalTail = v.InferOutput<typeof journalTailRecord>;

const jump = v.variant('why', [
  /** An undo of commands in the ticks `from` to `to`, both included. */
  v.strictObject({
    why: v.literal('undo'),
    from: whole,
    to: whole,
    /**
     * Id of the participant whose commands were undone. Null: everybody's commands except the
     * host's.
     */
    by: v.nullable(whole),
    /** If only one command was undone, the command's id. */
    id: v.optional(whole),
  }),
  v.strictObject({ why: v.literal('restore'), tick: whole }),
]);
/** The reason why a room's state was replaced. */
export type Jump = v.InferOutput<typeof jump>;

/** A journal entry: the commands and other events that reached a room from outside in one tick. */
export const journalRecord = v.strictObject({
  tick: positive,
  /** Sequence number of the entry in the room's journal, from 1. */
  seq: positive,
  /** Wall-clock time of the tick, in ms. */
  at: v.number(),
  events: v.array(roomEvent),
  /** Indices of the refused commands among the tick's commands. */
  refused: v.optional(v.array(whole)),
  /** Set if earlier entries may be missing, because they could not be written. */
  gap: v.optional(v.literal(true)),
  /**
   * Set if the room's state was replaced in this tick. The snapshot of this tick contains the new
   * state.
   */
  jump: v.optional(jump),
});
export type JournalRecord = v.InferOutput<typeof journalRecord>;

/** Checksums of a room's planes (colours and owners of all cells) after a tick. */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /** `sum`: combined checksum of the planes after each tick from `since` to `tick`. */
  each: v.strictObject({ since: whole, sum: whole }),
});
export type PlaneChecksum = v.InferOutput<typeof planeChecksumRecord>;

/**
 * The main record of a snapshot. The room's state and the cells of each organism are stored in
 * separate records.
 */
export const snapshotRecord = v.strictObject({
  tick: whole,
  /** Number of journal entries before the snapshot. */
  seq: whole,
  at: v.number(),
  /** The engine that computed the room's cells at the time of the snapshot. */
  engine: v.strictObject({ name: text, device: text }),
  /**
   * Where each organism's cells are stored, in the order of the organisms in the room's state.
   * `tick`: tick of the snapshot with the cells. `base`: tick of the snapshot with earlier cells,
   * if the cells are stored as a difference from these earlier cells.
   */
  cells: v.array(v.strictObject({ id: positive, tick: whole, base: v.optional(whole) })),
  /** Number of bytes written for this snapshot and for the journal since the previous snapshot. */
  bytes: whole,
  /** Number of bytes written for the journal since the previous snapshot; included in `bytes`. */
  journal: whole,
  /** Name that the host gave the snapshot. */
  name: v.optional(text),
  /** Set if the snapshot was taken just before this action of the host. */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /** Set if the room's state was replaced in the snapshot's tick. */
  jump: v.optional(v.literal(true)),
  /** Wall-clock times of some ticks up to this snapshot, oldest first; absent if unknown. */
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
 * Whether a snapshot has a name, or was taken before an action of the host. No replay starts from
 * such a snapshot.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;
