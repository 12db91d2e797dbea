/** What the records of a store hold, each kind with its schema. */
import * as v from 'valibot';
import { settingsChange } from '../../shared/host/settings.ts';
import { energySettings } from '../world/room-state.ts';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(whole, v.minValue(1));
const text = v.string();

/** A room as its host wants it: what it is made with, and which knobs she has turned. */
export const planRecord = v.strictObject({
  name: text,
  width: positive,
  height: positive,
  seed: whole,
  checkpoint: text,
  /** Made by the host; others are those that the server is started with. */
  made: v.boolean(),
  open: v.boolean(),
  change: settingsChange,
});
export type PlanRecord = v.InferOutput<typeof planRecord>;

export const banRecords = v.array(
  v.strictObject({
    id: positive,
    room: text,
    participant: positive,
    name: text,
    address: v.nullable(text),
    since: v.number(),
    until: v.nullable(v.number()),
  }),
);

/** What a room was made with, and where it stands. */
export const roomRecord = v.strictObject({
  name: text,
  width: positive,
  height: positive,
  seed: whole,
  /** Weights and card are known by their hash: names can be given twice. */
  checkpoint: v.strictObject({ name: text, hash: text }),
  /** Wall clock, ms. */
  made: v.number(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

/** The last tick that is kept, and how many journal entries there have been. */
export const journalTailRecord = v.strictObject({ tick: whole, seq: whole });
export type JournalTail = v.InferOutput<typeof journalTailRecord>;

const roomEvent = v.variant('what', [
  v.strictObject({
    what: v.literal('command'),
    id: whole,
    command: v.looseObject({
      what: v.picklist(['plant', 'damage', 'cross', 'hold', 'remove', 'clear', 'thin']),
      by: v.strictObject({ id: whole, name: text, hue: v.number() }),
    }),
  }),
  v.strictObject({
    what: v.literal('enter'),
    participant: positive,
    at: whole,
    granted: v.optional(v.pipe(v.number(), v.minValue(0))),
  }),
  v.strictObject({ what: v.literal('leave'), participant: positive, at: v.optional(whole) }),
  v.strictObject({ what: v.literal('attendance'), present: v.array(positive) }),
  v.strictObject({
    what: v.literal('energy'),
    settings: energySettings,
    tickRate: v.number(),
    at: whole,
  }),
  v.strictObject({ what: v.literal('limit'), maxOrganisms: positive }),
  v.strictObject({ what: v.literal('no-memory') }),
]);

const jump = v.variant('why', [
  /** What one, or all visitors, had done in ticks from … to, both included, was taken back. */
  v.strictObject({
    why: v.literal('undo'),
    from: whole,
    to: whole,
    /** null: all visitors. */
    by: v.nullable(whole),
  }),
  v.strictObject({ why: v.literal('restore'), tick: whole }),
]);
export type Jump = v.InferOutput<typeof jump>;

/** What came from outside into one tick. */
export const journalRecord = v.strictObject({
  tick: positive,
  /** One more than the entry before: none can be missing unnoticed. */
  seq: positive,
  /** Wall clock, ms; never less than the entry before. */
  at: v.number(),
  events: v.array(roomEvent),
  /** Places, among the commands, of those that were refused. */
  refused: v.optional(v.array(whole)),
  /** Ticks before it may be missing: nothing could be written then. */
  gap: v.optional(v.literal(true)),
  /** In this tick nothing was stepped: the room became what the snapshot of this tick shows, and why. */
  jump: v.optional(jump),
});
export type JournalRecord = v.InferOutput<typeof journalRecord>;

/** Checksum of the planes after a tick. */
export const planeChecksumRecord = v.strictObject({
  tick: whole,
  planes: whole,
  /** Of the planes after each tick, from one until this one; older records lack it. */
  each: v.optional(v.strictObject({ since: whole, sum: whole })),
});
export type PlaneChecksum = v.InferOutput<typeof planeChecksumRecord>;

/** A moment of a room; its state and its organisms' cells are records of their own. */
export const snapshotRecord = v.strictObject({
  tick: whole,
  /** Journal entries before it. */
  seq: whole,
  at: v.number(),
  /** Who computed it and what comes after it. */
  engine: v.strictObject({ name: text, device: text }),
  /** In the order of the organisms: the tick of the snapshot that first had their cells as they are. */
  cells: v.array(v.strictObject({ id: positive, tick: whole })),
  /** Bytes written for it, and for the journal since the one before. */
  bytes: whole,
  /** Of these, the journal's. */
  journal: v.optional(whole, 0),
  /** What the host has called it: kept until she says otherwise. */
  name: v.optional(text),
  /** Taken before the host changed the room as a whole. */
  before: v.optional(v.picklist(['undo', 'restore', 'reseed'])),
  /** The room became this at once: what came before leads elsewhere. */
  jump: v.optional(v.literal(true)),
});
export type SnapshotRecord = v.InferOutput<typeof snapshotRecord>;

export const cellsRecord = v.strictObject({
  /** [stage, stage, C] as the engine gives them: 32 bits, for with fewer a room would not go on as it went on. */
  state: v.custom<Float32Array>((value) => value instanceof Float32Array),
});

/** What happened in a room on one day. */
export const dayRecord = v.strictObject({
  day: text,
  plant: whole,
  damage: whole,
  cross: whole,
  /** Drawings that became seeds. */
  hold: v.optional(whole, 0),
  refused: whole,
  left: whole,
});
export type DayRecord = v.InferOutput<typeof dayRecord>;
