/**
 * The data of the host page. Times are the server's wall-clock times in ms, unless named otherwise.
 */
import * as v from 'valibot';
import { count, finite } from '../common-schemas.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { MOST_TIME_POINTS } from '../time-points.ts';
import { origin, part, participantView, planter } from '../vocabulary.ts';
import { HOST_REASONS, JOB_REASONS } from './reasons.ts';
import { ROLES } from './roles.ts';
import { roomSettings, schedule } from './room-settings.ts';

const number = v.number();
const text = v.string();
const truth = v.boolean();

const roomEntries = {
  name: text,
  width: count,
  height: count,
  checkpoint: text,
  /** Whether the room is open. A closed room is stored unchanged and accepts nobody. */
  open: truth,
  /** Whether the room is in the server's startup settings, so that it cannot be removed. */
  fixed: truth,
  participants: count,
  waiting: count,
  /** Number of drawings that wait for the host's approval. */
  drawingsWaiting: count,
  /** Number of reported organisms that the host has not decided about. */
  reported: count,
  /** Number of living organisms; null if unknown, for example because the room is not running. */
  organisms: v.nullable(count),
  awake: count,
  tick: count,
  pace: v.object({ tickRate: number, actual: number, slow: truth }),
  settings: roomSettings,
  walls: v.object({
    /** Number of walls that are up; number of lost walls that have a seat of their own. */
    up: count,
    lost: count,
    /**
     * Film or close-up on the walls, and how much longer it is shown, in ms; null if walls show the
     * room.
     */
    showing: v.nullable(v.object({ what: v.picklist(['film', 'closeUp']), left: number })),
  }),
  /** Whether the day of the room is ending, so that its organisms are dissolving. */
  farewell: truth,
  /** A slow operation in this room that visitors have to wait for; null if there is none. */
  busy: v.nullable(v.picklist(['opening', 'closing', 'undoing', 'restoring'])),
} as const;

export const roomSummary = v.object(roomEntries);
export type RoomSummary = v.InferOutput<typeof roomSummary>;

export const visitorState = v.object({
  /** Participant id, used in calls. */
  id: count,
  name: text,
  hue: number,
  muted: truth,
  /** Name of the touch table at which the participant is; null if they use another device. */
  table: v.nullable(text),
  /** Number of other participants at this address. A ban of the address would also affect them. */
  neighbours: count,
  /** Number of living organisms that the participant has planted. */
  organisms: count,
  /** Number of living organisms onto which the participant has grafted parts. */
  grafted: count,
  /** Number of the participant's actions, such as seeds and strokes, since they joined. */
  acts: count,
  /** Time since the participant joined, in ms. */
  stay: number,
});
export type VisitorState = v.InferOutput<typeof visitorState>;

/** A drawing that waits for the host's approval. */
const drawingState = v.object({
  /** Used in calls. */
  id: count,
  /** The participant who sent the drawing. */
  by: participantView,
  /** Time since the drawing was sent, in ms. */
  waited: number,
});

/** An organism that visitors have reported. */
export const reportState = v.object({
  /** Used in calls. */
  organism: count,
  kind: text,
  origin,
  planter,
  /** The parts of a chimera. */
  parts: v.optional(v.array(part)),
  /**
   * Whether the organism is still alive. The picture, the kind, the planter and the parts are as
   * they were when it was reported.
   */
  lives: truth,
  /** Tick at which its picture was taken. */
  pictured: count,
  /** Number of participants who have reported it since the host last dismissed it. */
  reporters: count,
  /** Time since the first of these reports, in ms. */
  waited: number,
});
export type ReportState = v.InferOutput<typeof reportState>;

export const wallState = v.object({
  /** Id of the wall's seat, used in calls; null if the wall has no seat of its own. */
  id: v.nullable(count),
  /** Name that the host has given the wall. */
  name: text,
  /** Whether it is a touch table, and whether the host has blocked it. */
  ...{ table: truth, blocked: truth },
  /** The wall's address without the origin; '' without a seat of its own. */
  path: text,
  /** Number of connections. Several screens of a wall may share an address. */
  screens: count,
  /** How long the wall has been up, in ms; null if it is not up. */
  upFor: v.nullable(number),
  /** When the wall was lost, in ms; null if it is up or was never up. */
  lost: v.nullable(number),
  /** Frames per second that the wall acknowledges. A room at rest sends only one per second. */
  frameRate: number,
  /** Languages whose script at least one of the wall's screens cannot display. */
  unwritable: v.array(v.picklist(LANGUAGE_CODES)),
});
export type WallState = v.InferOutput<typeof wallState>;

export const roomState = v.object({
  ...roomEntries,
  visitors: v.array(visitorState),
  /** Waiting drawings, longest waiting first. */
  drawings: v.array(drawingState),
  /** Reported organisms, most reported first. */
  reports: v.array(reportState),
  wallList: v.array(wallState),
});
export type RoomDetail = v.InferOutput<typeof roomState>;

export const banState = v.object({
  id: count,
  room: text,
  /** The participant's id, and the name that they had when they were banned. */
  participant: count,
  name: text,
  /** Whether everybody at the address is banned, not only the device. */
  address: truth,
  since: number,
  /** When the ban ends, in ms; null if it lasts until the host lifts it. */
  until: v.nullable(number),
});

/** An access token, without the token itself. */
export const accessTokenState = v.object({
  id: count,
  name: text,
  role: v.picklist(ROLES),
  /** When the token was made, in ms. */
  made: number,
});
export type AccessTokenState = v.InferOutput<typeof accessTokenState>;

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
  /** Progress of the job, 0…1. */
  progress: number,
  /** Size of the finished file, in bytes; null if it is not finished. */
  bytes: v.nullable(count),
  /** Why the job failed; null if it has not failed. */
  error: v.nullable(v.picklist(JOB_REASONS)),
  /** Requested period in hours; null if the request gave ticks. */
  hours: v.nullable(count),
  /** When the film's period begins, in ms; null if not known yet. */
  from: v.nullable(number),
  /** When the film's pictures were taken. Absent until this is known. */
  times: v.optional(filmTimes),
  /** Number of pictures that are ready to be shown. */
  frames: count,
  /** Number of pictures of the whole film; null if not known yet. */
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
  /**
   * The kind of change before which the snapshot was taken automatically; null for all other
   * snapshots.
   */
  before: v.nullable(v.picklist(['undo', 'restore', 'reseed'])),
  organisms: count,
});
export type SnapshotState = v.InferOutput<typeof snapshotState>;

export const checkpointState = v.object({
  name: text,
  title: text,
  /**
   * Whether other weights now have this name, so that only existing rooms still use these weights.
   */
  replaced: v.boolean(),
  /** Side of an organism, in cells. */
  side: count,
  /** The gallery's pictures: a sheet with `columns` tiles per row, side×side pixels each. */
  sheet: v.object({ url: text, columns: count }),
});
export type CheckpointState = v.InferOutput<typeof checkpointState>;

/** Damaged data that the server has set aside. */
export const asideState = v.object({
  /** Name of the folder with the data, used in calls. */
  id: text,
  /** Name of the room; null for data of the server or of all rooms. */
  room: v.nullable(text),
  at: number,
  /** `replaced`: the room's data from before the host put other data back. */
  what: v.picklist(['file', 'room', 'records', 'replaced']),
  /** Tick of the snapshot from which the room was opened; null if there was none. */
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
  /** When the server started, in ms. */
  since: number,
  /** Whether the server gives its rooms away and takes none. */
  draining: truth,
  /** Mean duration of a tick, in ms; null if no room has ticked. */
  tick: v.nullable(number),
  /** Latency of the server's messages through Valkey, in ms; null if unknown. */
  latency: v.nullable(number),
  /** Rooms that the server runs. */
  rooms: v.array(
    v.object({
      name: text,
      /** Number of leaders that the room has had. */
      epoch: count,
      /** Mean number of awake cells. */
      awake: count,
      /** Whether the room was given away, but no server took it. */
      kept: truth,
    }),
  ),
  /** While draining: rooms that the server has given away and that no other server runs yet. */
  leaving: v.optional(v.array(text), []),
  /**
   * Rooms of other servers that this server replicates, so that it can take them over immediately.
   */
  followed: v.optional(v.array(text), []),
  /** Number of the server's connections per room, wherever the room runs. */
  viewers: v.array(v.object({ room: text, connections: count })),
});
export type ServerState = v.InferOutput<typeof serverState>;

/** The servers of a cluster. */
export const clusterState = v.object({
  /** Name of the server that sends this state. */
  own: text,
  /** Whether the other servers' states are current; otherwise they are the last known states. */
  current: truth,
  /** All servers of the cluster, sorted by name. */
  servers: v.array(serverState),
});
export type ClusterState = v.InferOutput<typeof clusterState>;

export const hostState = v.object({
  version: text,
  engine: v.object({ name: text, device: text }),
  roomDefaults: roomSettings,
  /** Current time and start time of the server. */
  now: number,
  since: number,
  /** Time zone of the server and its schedule, such as 'Europe/Copenhagen'. */
  zone: text,
  /** Whether the journal is being written: false after a disk error, null if storage is off. */
  keeping: v.nullable(truth),
  /** Whether the clock was set back within a day, so that stored times may be wrong. */
  clockSetBack: v.optional(truth),
  /** Damaged data that the server has set aside and the host has not dismissed, latest first. */
  aside: v.array(asideState),
  /** Whether the time is outside the opening hours. */
  dim: truth,
  schedule,
  /** Whether a supervisor restarts the server. Without one, there is no nightly restart. */
  supervised: truth,
  /** The next change by the schedule; null if there is none. */
  next: v.nullable(v.object({ at: number, what: v.picklist(['open', 'close', 'restart']) })),
  /** Addresses of this server for visitors, without a path, best first. */
  addresses: v.array(text),
  /** The machine of the server that sends this state. */
  machine: v.object({
    /** Free space in bytes on the disk of the data folder; null if unknown or nothing is stored. */
    diskFree: v.nullable(count),
    /** Processes that ran or waited for a processor in the last minute, per processor. */
    load: finite,
    /** Memory that the server can still use, in bytes. */
    memoryFree: count,
  }),
  /** Whether the server posts alerts to a webhook. */
  hasAlerts: truth,
  checkpoints: v.array(checkpointState),
  /** Names of folders in the library whose checkpoints have not been added. */
  library: v.array(text),
  rooms: v.array(roomSummary),
  /** The bans; null for tokens that may not see them. */
  bans: v.nullable(v.array(banState)),
  jobs: v.array(jobState),
  /** State of the cluster; null if the server is not in a cluster. */
  cluster: v.nullable(clusterState),
});
export type HostState = v.InferOutput<typeof hostState>;

export const sessionState = v.object({
  /** Sent with every call that changes something, in the header `x-vivarium-key`. */
  key: text,
  /** When this session ends, in ms. */
  until: number,
});
export type SessionState = v.InferOutput<typeof sessionState>;

/** The body of every answer that is not 2xx. */
export const refusal = v.object({
  reason: v.picklist(HOST_REASONS),
  detail: v.optional(text),
  /** How long to wait before the next attempt, in ms. */
  retryAfter: v.optional(number),
});
export type RefusalState = v.InferOutput<typeof refusal>;

/**
 * Upper bounds of the bins into which visits are sorted by length, in seconds. A further bin at the
 * end has no upper bound.
 */
export const DWELL_SPANS = [10, 30, 60, 120, 300, 600, 1_200, 3_600] as const;

/** Number of fields per side of the heat map, which covers the whole grid. */
export const HEAT_SIDE = 16;

const sums = {
  /** Number of visits; a participant who returns within a minute counts once. */
  visits: count,
  seeds: count,
  wounds: count,
  crosses: count,
  /** Absent in records from before there were grafts. */
  grafts: v.optional(count, 0),
  refused: count,
  /** Maximum number of simultaneous participants. */
  most: count,
  /** [DWELL_SPANS.length + 1] Number of ended visits in each bin of visit lengths. */
  dwell: v.pipe(v.array(count), v.length(DWELL_SPANS.length + 1)),
  /** [HEAT_SIDE²] Number of seeds, wounds and grafts in each field of the heat map, row by row. */
  heat: v.pipe(v.array(count), v.length(HEAT_SIDE * HEAT_SIDE)),
};

export const hourStatistics = v.object({
  /** Hour by the server's clock, such as `2026-11-25T14`. */
  hour: v.string(),
  ...sums,
});
export type HourStatistics = v.InferOutput<typeof hourStatistics>;

export const dayStatistics = v.object({ day: v.string(), ...sums });
export type DayStatistics = v.InferOutput<typeof dayStatistics>;

export const statistics = v.object({
  room: v.string(),
  /**
   * Statistics of single hours of the last weeks, oldest first. Hours without visitors are omitted.
   */
  hours: v.array(hourStatistics),
  /**
   * Statistics of single days of the last years, oldest first. Days without visitors are omitted.
   */
  days: v.array(dayStatistics),
});
export type Statistics = v.InferOutput<typeof statistics>;
