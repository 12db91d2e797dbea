/** What the host's page shows. Times are of the server's wall clock, ms, unless a name says otherwise. */
import * as v from 'valibot';
import { HOST_REASONS, type HostReason, JOB_REASONS, type JobReason } from './reasons.ts';
import { roomSettings, schedule } from './settings.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const number = v.number();
const text = v.string();
const truth = v.boolean();

/** What is known of a room without going in. */
const roomEntries = {
  name: text,
  width: count,
  height: count,
  /** Name of the checkpoint. */
  checkpoint: text,
  /** A closed room is kept as it is, and lets nobody in. */
  open: truth,
  /** Of those that the server is started with: it cannot be removed. */
  fixed: truth,
  participants: count,
  waiting: count,
  organisms: count,
  awake: count,
  tick: count,
  pace: v.object({ tickRate: number, actual: number, slow: truth }),
  settings: roomSettings,
  /** Something takes its time in this room: visitors wait. */
  busy: v.nullable(v.picklist(['opening', 'closing', 'undoing', 'restoring'])),
} as const;

export const roomSummary = v.object(roomEntries);
export type RoomSummary = v.InferOutput<typeof roomSummary>;

export const visitorState = v.object({
  /** Participant number; names one in calls. */
  id: count,
  name: text,
  hue: number,
  muted: truth,
  /** How many others come from the same address: a ban of the address would meet them too. */
  neighbours: count,
  /** Of what she has planted, how much lives. */
  organisms: count,
  /** Seeds, wounds and crosses since she came. */
  acts: count,
  /** ms that she has been here. */
  stay: number,
});
export type VisitorState = v.InferOutput<typeof visitorState>;

export const roomState = v.object({ ...roomEntries, visitors: v.array(visitorState) });
export type RoomDetail = v.InferOutput<typeof roomState>;

export const banState = v.object({
  id: count,
  room: text,
  /** Participant number and the name that she had. */
  participant: count,
  name: text,
  /** Her whole address is kept out, not her session alone. */
  address: truth,
  since: number,
  /** null: until it is lifted. */
  until: v.nullable(number),
});
export type BanState = v.InferOutput<typeof banState>;

export const jobState = v.object({
  id: text,
  room: text,
  kind: v.picklist(['gif', 'png']),
  state: v.picklist(['going', 'done', 'failed', 'stopped']),
  /** 0…1 */
  progress: number,
  /** Bytes of the file, once it is done. */
  bytes: v.nullable(count),
  /** Why it has failed. */
  error: v.nullable(v.picklist(Object.keys(JOB_REASONS) as JobReason[])),
  /** When what it shows begins, as soon as that is known. */
  from: v.nullable(number),
  since: number,
  /** Name that the file is downloaded under. */
  file: text,
});
export type JobState = v.InferOutput<typeof jobState>;

export const snapshotState = v.object({
  tick: count,
  at: number,
  /** What the host has called it; named ones are kept until they are removed. */
  name: v.nullable(text),
  /** Taken by itself, before the host changed the room as a whole. */
  before: v.nullable(v.picklist(['undo', 'restore', 'reseed'])),
  organisms: count,
});
export type SnapshotState = v.InferOutput<typeof snapshotState>;

export const checkpointState = v.object({
  name: text,
  title: text,
  /** Side of an organism, cells. */
  side: count,
  /** A sheet of `columns` tiles a row, side×side pixels each. */
  sheet: v.object({ url: text, columns: count }),
});
export type CheckpointState = v.InferOutput<typeof checkpointState>;

export const hostState = v.object({
  /** Of the server. */
  version: text,
  engine: v.object({ name: text, device: text }),
  /** How a room is set that nobody has touched. */
  roomDefaults: roomSettings,
  /** The server's clock now, and since when it runs. */
  now: number,
  since: number,
  /** Of the server, minutes east of Greenwich; the schedule is in its time. */
  zone: number,
  /** Whether what happens is kept: false while the disk takes no more, null where nothing is to be kept. */
  keeping: v.nullable(truth),
  /** Outside the open hours. */
  dim: truth,
  schedule,
  /** When the schedule changes something next; null: never. */
  next: v.nullable(v.object({ at: number, what: v.picklist(['open', 'close', 'restart']) })),
  /** Where visitors find this server, without a path: the network's addresses, the best first. */
  addresses: v.array(text),
  checkpoints: v.array(checkpointState),
  rooms: v.array(roomSummary),
  bans: v.array(banState),
  jobs: v.array(jobState),
});
export type HostState = v.InferOutput<typeof hostState>;

export const sessionState = v.object({
  /** Goes with every call that changes something, in the header `x-vivarium-key`. */
  key: text,
  /** When this session ends. */
  until: number,
});
export type SessionState = v.InferOutput<typeof sessionState>;

/** The body of every answer that is not 2xx. */
export const refusal = v.object({
  reason: v.picklist(Object.keys(HOST_REASONS) as HostReason[]),
  detail: v.optional(text),
  /** ms to wait before the next try. */
  retryAfter: v.optional(number),
});
export type RefusalState = v.InferOutput<typeof refusal>;
