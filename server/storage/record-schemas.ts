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
  /** Whether the host created the room; false if the server's configuration contains it. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

/**
 * List of the data that were set aside, because they were damaged or because the host replaced
 * them; latest first.
 */
export const asideRecords = v.array(
  v.strictObject({
    /** Name of the folder that contains the data. */
    id: text,
    /** Name of the data's room; null for a whole data file and for records of the whole server. */
    room: v.nullable(text),
    /** When the data were set aside, as wall-clock time in ms. */
    at: v.number(),
    /**
     * `file`: the whole data file. `room`: a room's state and history. `records`: single damaged
     * records. `replaced`: a room's data that the host replaced by earlier data.
     */
    what: v.picklist(['file', 'room', 'records', 'replaced']),
    /** Tick of the snapshot to which the room went back; null if there was none. */
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
   * Name of the room's checkpoint, and a hash of its weights and of the card's properties that
   * affect cells. Checkpoints with different weights can have the same name, but not the same hash.
   */
  checkpoint: v.strictObject({ name: text, hash: text }),
  /** When the room was created, as wall-clock time in ms. */
  made: v.number(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

/**
 * The end of a room's journal. `tick`: the last stored tick. `seq`: the number of entries so far.
 */
export const journalTailRecord = v.strictObject({ tick: whole, seq: whole });
export type JournalTail = v.InferOutput<typeof journalTailRecord>;

const jump = v.variant('why', [
  /** An undo of commands in the ticks `from` to `to`, both included. */
  v.strictObject({
    why: v.literal('undo'),
    from: whole,
    to: whole,
    /** Id of the participant whose commands were undone; null for everybody except the host. */
    by: v.nullable(whole),
    /**
     * If only one command was undone: the id that the command's sender gave it. If absent, all
     * commands of `by` in these ticks were undone.
     */
    id: v.optional(whole),
  }),
  v.strictObject({ why: v.literal('restore'), tick: whole }),
]);
/** Why a room's state was replaced. */
export type Jump = v.InferOutput<typeof jump>;

/** A journal entry: the commands and other events that reached a room from outside in one tick. */
export const journalRecord = v.strictObject({
  tick: positive,
  /** Sequence number. A gap after the previous entry's number shows that entries are missing. */
  seq: positive,
  /** Wall-clock time at which the tick ran, in ms; wrong if the clock was wrong. */
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

/** Checksums of a room's planes (colours and owners of all cells) after a tick. */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /** Checksum of several ticks: `sum` covers the planes after each tick from `since` to `tick`. */
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
  /** The engine that computed the tick of the snapshot and the ticks after it. */
  engine: v.strictObject({ name: text, device: text }),
  /**
   * Where each organism's cells are stored, in the order of the organisms in the room's state.
   * `tick`: the tick of the snapshot that stored the cells. `base`: if only the difference from
   * earlier cells is stored, the tick of these earlier cells.
   */
  cells: v.array(v.strictObject({ id: positive, tick: whole, base: v.optional(whole) })),
  /** Number of bytes written for this snapshot and for the journal since the previous snapshot. */
  bytes: whole,
  /** Number of bytes written for the journal since the previous snapshot; included in `bytes`. */
  journal: whole,
  /** Name given by the host; named snapshots are kept. */
  name: v.optional(text),
  /** The action of the host before which this snapshot was taken, if any. */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /**
   * Set if the room's state was replaced in this tick. Replays from earlier snapshots then need
   * this snapshot.
   */
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
 * Whether a snapshot has a name, or was taken before an action of the host. Restoring such a
 * snapshot does not need the journal after it.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;
