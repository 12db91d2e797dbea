/**
 * The data of the host page. Times are wall-clock times of the server in ms, unless a name says
 * otherwise.
 */
import * as v from 'valibot';
import { count, finite } from '../common-schemas.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { MOST_TIME_POINTS } from '../time-points.ts';
import { origin, participantView, planter } from '../vocabulary.ts';
import { HOST_REASONS, JOB_REASONS } from './reasons.ts';
import { roomSettings, schedule } from './settings.ts';

const number = v.number();
const text = v.string();
const truth = v.boolean();

/** Summary of a room. */
const roomEntries = {
  name: text,
  width: count,
  height: count,
  /** Name of the checkpoint. */
  checkpoint: text,
  /** A closed room is stored unchanged and accepts nobody. */
  open: truth,
  /** The room is in the server's startup settings, so it cannot be removed. */
  fixed: truth,
  participants: count,
  waiting: count,
  /** Drawings that wait for the host's yes. */
  drawingsWaiting: count,
  /** Reported organisms that the host has not decided about. */
  reported: count,
  /** null: not known here, as of a room that is stored and does not run. */
  organisms: v.nullable(count),
  awake: count,
  tick: count,
  pace: v.object({ tickRate: number, actual: number, slow: truth }),
  settings: roomSettings,
  walls: v.object({
    /** Those that are up, and those with a place of their own that are lost. */
    up: count,
    lost: count,
    /** What the host lets them show, and for how long unless asked again, ms; null: the room. */
    showing: v.nullable(v.object({ what: v.picklist(['film', 'closeUp']), left: number })),
  }),
  /** The day of the room is ending: what lives in it goes. */
  farewell: truth,
  /** A slow operation in this room; visitors wait. */
  busy: v.nullable(v.picklist(['opening', 'closing', 'undoing', 'restoring'])),
} as const;

export const roomSummary = v.object(roomEntries);
export type RoomSummary = v.InferOutput<typeof roomSummary>;

export const visitorState = v.object({
  /** Participant number, used in calls. */
  id: count,
  name: text,
  hue: number,
  muted: truth,
  /**
   * Number of other participants at the same address, whom a ban of the address would also affect.
   */
  neighbours: count,
  /** Living organisms that the participant has planted. */
  organisms: count,
  /** Seeds, wounds and crosses since the participant joined. */
  acts: count,
  /** Time since the participant joined, ms. */
  stay: number,
});
export type VisitorState = v.InferOutput<typeof visitorState>;

/** A drawing that waits for the host's yes. */
export const drawingState = v.object({
  /** Used in calls. */
  id: count,
  /** Participant number, name and hue. */
  by: participantView,
  /** Time since it was sent, ms. */
  waited: number,
});
export type DrawingState = v.InferOutput<typeof drawingState>;

/** An organism that visitors have reported. */
export const reportState = v.object({
  /** Used in calls. */
  organism: count,
  kind: text,
  origin,
  planter,
  /** Whether it is still in the room; its picture, kind and planter are those of the report. */
  lives: truth,
  /** Tick of its picture. */
  pictured: count,
  /** Participants who have reported it since the host last dismissed it. */
  reporters: count,
  /** Time since the first of these reports, ms. */
  waited: number,
});
export type ReportState = v.InferOutput<typeof reportState>;

export const wallState = v.object({
  /** null: it has no place of its own. */
  id: v.nullable(count),
  /** The host's name for it. */
  name: text,
  /** Its own address, without the origin; '' without a place. */
  path: text,
  /** Its connections: a wall of several screens may share an address. */
  screens: count,
  /** How long it has been up, ms; null: it is not. */
  upFor: v.nullable(number),
  /** When it was lost; null: it is up, or was never up. */
  lost: v.nullable(number),
  /** Frames per second that it confirms; in a room at rest only one is sent per second. */
  frameRate: number,
  /** Languages that one of its screens has no letters for. */
  unwritable: v.array(v.picklist(LANGUAGE_CODES)),
});
export type WallState = v.InferOutput<typeof wallState>;

export const roomState = v.object({
  ...roomEntries,
  visitors: v.array(visitorState),
  /** Longest waiting first. */
  drawings: v.array(drawingState),
  /** Most reported first. */
  reports: v.array(reportState),
  wallList: v.array(wallState),
});
export type RoomDetail = v.InferOutput<typeof roomState>;

export const banState = v.object({
  id: count,
  room: text,
  /** Participant number, and their name at the time. */
  participant: count,
  name: text,
  /** Whether everybody at the address is banned, not only the device. */
  address: truth,
  since: number,
  /** null: until it is lifted. */
  until: v.nullable(number),
});
export type BanState = v.InferOutput<typeof banState>;

/** See `FilmTimes`. */
const filmTimes = v.pipe(
  v.array(v.object({ frame: count, at: finite })),
  v.maxLength(MOST_TIME_POINTS),
  v.readonly(),
);

export const jobState = v.object({
  id: text,
  room: text,
  kind: v.picklist(['gif', 'png']),
  state: v.picklist(['going', 'done', 'failed', 'stopped']),
  /** 0…1 */
  progress: number,
  /** Size of the finished file, bytes. */
  bytes: v.nullable(count),
  /** Why it failed. */
  error: v.nullable(v.picklist(JOB_REASONS)),
  /** Length of the period that was asked for; null: it was asked for by ticks. */
  hours: v.nullable(count),
  /** Start of the period that the film shows, once known. */
  from: v.nullable(number),
  /** When its pictures were, once known. */
  times: v.optional(filmTimes),
  /** Pictures that can be shown already. */
  frames: count,
  /** Pictures of the whole film, once known. */
  total: v.nullable(count),
  since: number,
  /** File name for the download. */
  file: text,
});
export type JobState = v.InferOutput<typeof jobState>;

export const snapshotState = v.object({
  tick: count,
  at: number,
  /** Name given by the host; named snapshots are kept until removed. */
  name: v.nullable(text),
  /** Taken automatically before the host changed the room as a whole. */
  before: v.nullable(v.picklist(['undo', 'restore', 'reseed'])),
  organisms: count,
});
export type SnapshotState = v.InferOutput<typeof snapshotState>;

export const checkpointState = v.object({
  name: text,
  title: text,
  /** Other weights of the same name are installed now: it is for the rooms that have it. */
  replaced: v.boolean(),
  /** Side of an organism, cells. */
  side: count,
  /** A sheet with `columns` tiles per row, side×side pixels each. */
  sheet: v.object({ url: text, columns: count }),
});
export type CheckpointState = v.InferOutput<typeof checkpointState>;

/** Damaged data that the server has set aside. */
export const asideState = v.object({
  /** Name of its folder, for calls. */
  id: text,
  /** null: of the server, or of all rooms. */
  room: v.nullable(text),
  at: number,
  /** `replaced`: what the room had before the host put something back. */
  what: v.picklist(['file', 'room', 'records', 'replaced']),
  /** Tick of the snapshot that the room was opened with; null: none. */
  tick: v.nullable(count),
  why: text,
});
export type AsideState = v.InferOutput<typeof asideState>;

/** A server of a cluster. */
export const serverState = v.object({
  /** Unique in the cluster. */
  name: text,
  role: v.picklist(['owner', 'gateway', 'both']),
  version: text,
  /** Start of the server. */
  since: number,
  /** It gives its rooms away and takes none. */
  draining: truth,
  /** Mean duration of a tick, ms; null: no room has ticked. */
  tick: v.nullable(number),
  /** Time that its messages take through Valkey, ms; null: unknown. */
  latency: v.nullable(number),
  /** Rooms that run there. */
  rooms: v.array(
    v.object({
      name: text,
      /** Owners that the room has had. */
      epoch: count,
      /** Cells awake, averaged. */
      awake: count,
      /** It was given away, and nobody took it. */
      kept: truth,
    }),
  ),
  /** If it is draining: rooms that it has given away, until another server runs them. */
  leaving: v.optional(v.array(text), []),
  /** Rooms of others that it replicates, to take them over immediately. */
  followed: v.optional(v.array(text), []),
  /** Connections that come in there, by room, wherever that runs. */
  viewers: v.array(v.object({ room: text, connections: count })),
});
export type ServerState = v.InferOutput<typeof serverState>;

/** The servers that share their rooms. */
export const clusterState = v.object({
  /** The name of the server that says this. */
  own: text,
  /** Whether the others have just said so; else it is what they said last. */
  current: truth,
  /** Sorted by name. */
  servers: v.array(serverState),
});
export type ClusterState = v.InferOutput<typeof clusterState>;

export const hostState = v.object({
  /** Server version. */
  version: text,
  engine: v.object({ name: text, device: text }),
  /** Default settings of a room. */
  roomDefaults: roomSettings,
  /** The server's current time and its start time. */
  now: number,
  since: number,
  /** Time zone of the server and its schedule, such as 'Europe/Copenhagen'. */
  zone: text,
  /** Whether the journal is being written: false after a disk error, null if storage is off. */
  keeping: v.nullable(truth),
  /** Whether the clock was set back within a day, so that stored times may be wrong. */
  clockSetBack: v.optional(truth),
  /** Damaged data that were set aside and not dismissed, latest first. */
  aside: v.array(asideState),
  /** Whether it is outside the opening hours. */
  dim: truth,
  schedule,
  /** Whether something starts the server again after the nightly restart; otherwise there is none. */
  supervised: truth,
  /** The next change by the schedule; null for none. */
  next: v.nullable(v.object({ at: number, what: v.picklist(['open', 'close', 'restart']) })),
  /** Addresses of this server for visitors, without a path, best first. */
  addresses: v.array(text),
  checkpoints: v.array(checkpointState),
  rooms: v.array(roomSummary),
  bans: v.array(banState),
  jobs: v.array(jobState),
  /** null: this server is alone. */
  cluster: v.nullable(clusterState),
});
export type HostState = v.InferOutput<typeof hostState>;

export const sessionState = v.object({
  /** Sent with every call that changes something, in the header `x-vivarium-key`. */
  key: text,
  /** When this session ends. */
  until: number,
});
export type SessionState = v.InferOutput<typeof sessionState>;

/** The body of every answer that is not 2xx. */
export const refusal = v.object({
  reason: v.picklist(HOST_REASONS),
  detail: v.optional(text),
  /** Delay before the next attempt, ms. */
  retryAfter: v.optional(number),
});
export type RefusalState = v.InferOutput<typeof refusal>;

/** Upper bounds of the bins for visit lengths, seconds; the last bin is unbounded. */
export const DWELL_SPANS = [10, 30, 60, 120, 300, 600, 1_200, 3_600] as const;

/** Fields per side of the heat map, which covers the whole grid. */
export const HEAT_SIDE = 16;

const sums = {
  /** Visits; a participant who returns within a minute counts once. */
  visits: count,
  seeds: count,
  wounds: count,
  crosses: count,
  refused: count,
  /** Largest number of participants at once. */
  most: count,
  /** [DWELL_SPANS.length + 1] ended visits by length. */
  dwell: v.pipe(v.array(count), v.length(DWELL_SPANS.length + 1)),
  /** [HEAT_SIDE²] seeds and wounds by position, row by row. */
  heat: v.pipe(v.array(count), v.length(HEAT_SIDE * HEAT_SIDE)),
};

export const hourStatistics = v.object({
  /** By the server's clock: `2026-11-25T14`. */
  hour: v.string(),
  ...sums,
});
export type HourStatistics = v.InferOutput<typeof hourStatistics>;

export const dayStatistics = v.object({ day: v.string(), ...sums });
export type DayStatistics = v.InferOutput<typeof dayStatistics>;

export const statistics = v.object({
  room: v.string(),
  /** The last weeks, oldest first; hours without visitors are omitted. */
  hours: v.array(hourStatistics),
  /** The last years, oldest first; days without visitors are omitted. */
  days: v.array(dayStatistics),
});
export type Statistics = v.InferOutput<typeof statistics>;
