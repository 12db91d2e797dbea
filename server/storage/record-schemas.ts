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
  /** Whether the host created the room. False if the room comes from the server's configuration. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

/**
 * List of the data that were moved to a separate folder, because they were damaged or because the
 * host replaced them; latest first.
 */
export const asideRecords = v.array(
  v.strictObject({
    /** Name of the folder that contains the data. */
    id: text,
    /**
     * Name of the room to which the data belong; null for a whole data file, or for records of the
     * whole server.
     */
    room: v.nullable(text),
    /** When the data were set aside, as wall-clock time in ms. */
    at: v.number(),
    /**
     * What was moved. `file`: the whole data file. `room`: the state and history of a room.
     * `records`: single damaged records. `replaced`: the data of a room, because the host replaced
     * them by earlier data.
     */
    what: v.picklist(['file', 'room', 'records', 'replaced']),
    /** Tick of the snapshot to which the room went back; null if there was no such snapshot. */
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
   * The room's checkpoint: its name, and its fingerprint (a hash of the weights and of properties
   * in the card). Several releases can have the same name, but not the same fingerprint.
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
    /**
     * Id of the participant whose commands were undone. If null, the commands of everybody but the
     * host were undone.
     */
    by: v.nullable(whole),
    /**
     * Set if only one command was undone: the id that its sender gave the command. If absent, all
     * commands that `by` sent in these ticks were undone.
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
  /**
   * Sequence number: one more than that of the previous entry. A step of more than one shows that
   * entries are missing.
   */
  seq: positive,
  /**
   * Wall-clock time at which the tick ran, in ms. It is wrong if the clock was wrong then;
   * `settled` corrects such times.
   */
  at: v.number(),
  events: v.array(roomEvent),
  /** Indices of the refused commands among the tick's commands. */
  refused: v.optional(v.array(whole)),
  /** Whether entries before this one may be missing because writing failed. */
  gap: v.optional(v.literal(true)),
  /**
   * Set if this tick replaced the room's state. The new state is stored in the snapshot of this
   * tick.
   */
  jump: v.optional(jump),
});
export type JournalRecord = v.InferOutput<typeof journalRecord>;

/**
 * Checksums of a room's planes after a tick. The planes are the colours and owners of all grid
 * cells.
 */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /**
   * A checksum of several ticks: `sum` is computed from the checksums of the planes after each tick
   * from `since` to `tick`.
   */
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
   * Where the cells of each organism are stored, in the order of the organisms in the room's state.
   * `tick`: the tick of the snapshot with which the cells were stored. `base`: if the cells are
   * stored as a difference from earlier cells, the tick of the earlier cells.
   */
  cells: v.array(v.strictObject({ id: positive, tick: whole, base: v.optional(whole) })),
  /**
   * Number of bytes written for this snapshot, plus the number of bytes written for the journal
   * since the previous snapshot.
   */
  bytes: whole,
  /** The part of `bytes` that was written for the journal since the previous snapshot. */
  journal: whole,
  /** Name given by the host; named snapshots are kept. */
  name: v.optional(text),
  /**
   * The action of the host before which this snapshot was taken; absent if the snapshot was taken
   * for another reason.
   */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /**
   * Set if this tick replaced the room's state. Replaying the journal from an earlier snapshot then
   * cannot produce this snapshot.
   */
  jump: v.optional(v.literal(true)),
  /**
   * Wall-clock times of some ticks up to this snapshot, oldest first (see `TickTimes`); absent if
   * they are not known.
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
 * Whether a snapshot has a name, or was taken before an action of the host. To restore such a
 * snapshot, the journal after it is not needed. Special rules determine how long it is kept.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;
