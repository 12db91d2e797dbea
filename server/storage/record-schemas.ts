/** Schemas and types of the store's records. */
import * as v from 'valibot';
import { id as positive, count as whole } from '../../shared/common-schemas.ts';
import { settingsChange } from '../../shared/host/settings.ts';
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
  /** Whether the host created it; otherwise the server was started with it. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

/** The active bans. */
export const banRecords = v.array(
  v.strictObject({
    id: positive,
    room: text,
    participant: positive,
    name: text,
    device: v.nullable(text),
    address: v.nullable(text),
    since: v.number(),
    until: v.nullable(v.number()),
  }),
);

/** What was set aside because it was damaged, or put aside by the host; latest first. */
export const asideRecords = v.array(
  v.strictObject({
    /** Name of its folder. */
    id: text,
    /** null: the whole file, or records of the server. */
    room: v.nullable(text),
    /** Wall clock, ms. */
    at: v.number(),
    /** `records`: some that the room can do without; `replaced`: the room before a put-back. */
    what: v.picklist(['file', 'room', 'records', 'replaced']),
    /** The snapshot that the room was opened with; null: none. */
    tick: v.nullable(whole),
    why: text,
  }),
);
export type AsideRecord = v.InferOutput<typeof asideRecords>[number];

/** The places of walls. */
export const wallPlaceRecords = v.array(
  v.strictObject({
    id: positive,
    room: text,
    name: text,
    pass: text,
    seen: v.boolean(),
    lost: v.nullable(v.number()),
  }),
);

/** A room's parameters, which never change. */
export const roomRecord = v.strictObject({
  name: text,
  width: positive,
  height: positive,
  seed: whole,
  /** Identified by the hash of weights and card, as names are not unique. */
  checkpoint: v.strictObject({ name: text, hash: text }),
  /** Wall clock, ms. */
  made: v.number(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

/** The last stored tick, and the number of journal entries so far. */
export const journalTailRecord = v.strictObject({ tick: whole, seq: whole });
export type JournalTail = v.InferOutput<typeof journalTailRecord>;

const jump = v.variant('why', [
  /** An undo of the commands of one or all visitors in ticks from … to, both included. */
  v.strictObject({
    why: v.literal('undo'),
    from: whole,
    to: whole,
    /** null: all visitors. */
    by: v.nullable(whole),
    /** The sender's id of the only command; absent: all of those. */
    id: v.optional(whole),
  }),
  v.strictObject({ why: v.literal('restore'), tick: whole }),
]);
/** Why a room's state was replaced. */
export type Jump = v.InferOutput<typeof jump>;

/** The external events of one tick. */
export const journalRecord = v.strictObject({
  tick: positive,
  /** One more than the entry before, so that a missing entry is noticed. */
  seq: positive,
  /** Wall clock, ms. It may have been set since: see `settled`. */
  at: v.number(),
  events: v.array(roomEvent),
  /** Indices, among the commands, of those that were refused. */
  refused: v.optional(v.array(whole)),
  /** Earlier entries may be missing, as writing failed. */
  gap: v.optional(v.literal(true)),
  /** In this tick, the room's state was replaced by the snapshot of this tick. */
  jump: v.optional(jump),
});
export type JournalRecord = v.InferOutput<typeof journalRecord>;

/** Checksum of the planes after a tick. */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /** Checksum over the planes of each tick since one. */
  each: v.strictObject({ since: whole, sum: whole }),
});
export type PlaneChecksum = v.InferOutput<typeof planeChecksumRecord>;

/** A snapshot of a room. Its state and its organisms' cells are separate records. */
export const snapshotRecord = v.strictObject({
  tick: whole,
  /** Journal entries before it. */
  seq: whole,
  at: v.number(),
  /** The engine that computed it and the ticks after it. */
  engine: v.strictObject({ name: text, device: text }),
  /**
   * In the order of the organisms: the tick of the snapshot that stored their cells, and of the one
   * that stored their base.
   */
  cells: v.array(v.strictObject({ id: positive, tick: whole, base: v.optional(whole) })),
  /** Bytes written for it and for the journal since the previous snapshot. */
  bytes: whole,
  /** The journal's part of `bytes`. */
  journal: whole,
  /** The name that the host has given it; named snapshots are kept. */
  name: v.optional(text),
  /** The host's action before which it was taken. */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /** The room's state was replaced by this; it does not follow from earlier snapshots. */
  jump: v.optional(v.literal(true)),
  /** When ticks before it were, oldest first (`TickTimes`); absent if they are not known. */
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
 * Whether a snapshot is named or precedes a host's action: other rules apply, without its journal.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;

/** Counts of a room's commands on one day. */
export const dayRecord = v.strictObject({
  day: text,
  plant: whole,
  damage: whole,
  cross: whole,
  /** Seeds made from drawings. */
  hold: whole,
  transform: whole,
  refused: whole,
  left: whole,
});
export type DayRecord = v.InferOutput<typeof dayRecord>;
