/**
 * Schemas of the data that the server sends to the host's page. Points in time are Unix times in
 * ms, unless a comment says otherwise.
 */
import * as v from 'valibot';
import { count, finite } from '../common-schemas.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { MOST_TIME_POINTS } from '../time-points.ts';
import { origin, part, participantView, planter } from '../vocabulary.ts';
import { schedule } from './opening-hours.ts';
import { HOST_REASONS, JOB_REASONS } from './reasons.ts';
import { ROLES } from './roles.ts';
import { roomSettings } from './room-settings.ts';

const number = v.number();
const text = v.string();
const truth = v.boolean();

const roomEntries = {
  name: text,
  width: count,
  height: count,
  checkpoint: text,
  /** Whether the room is open. A closed room does not change, and nobody can join it. */
  open: truth,
  /** If true, the room is defined in the server's startup settings and cannot be removed. */
  fixed: truth,
  participants: count,
  waiting: count,
  /** Number of drawings that are waiting for the host's approval. */
  drawingsWaiting: count,
  /** Number of reported organisms that the host has neither removed nor dismissed. */
  reported: count,
  /** Number of living organisms; null if the room is not running. */
  organisms: v.nullable(count),
  awake: count,
  tick: count,
  pace: v.object({ tickRate: number, actual: number, slow: truth }),
  settings: roomSettings,
  walls: v.object({
    /** Number of connected walls. */
    up: count,
    /** Number of disconnected walls that have a reserved seat. */
    lost: count,
    /**
     * Whether walls show a film or a close-up, and for how much longer (`left`, in ms); null if
     * walls show the whole room.
     */
    showing: v.nullable(v.object({ what: v.picklist(['film', 'closeUp']), left: number })),
  }),
  /** Whether the room's organisms are dissolving because the room's day is ending. */
  farewell: truth,
  /** Slow operation in progress, during which visitors have to wait; null if there is none. */
  busy: v.nullable(v.picklist(['opening', 'closing', 'undoing', 'restoring'])),
} as const;

export const roomSummary = v.object(roomEntries);
export type RoomSummary = v.InferOutput<typeof roomSummary>;

export const visitorState = v.object({
  id: count,
  name: text,
  hue: number,
  muted: truth,
  /** Name of the participant's touch table; null if the participant does not use a table. */
  table: v.nullable(text),
  /**
   * Number of other participants at the same IP address, whom a ban of the address would affect.
   */
  neighbours: count,
  /** Number of living organisms that the participant has planted. */
  organisms: count,
  /** Number of living organisms that have grafts by the participant. */
  grafted: count,
  /** Number of the participant's actions, such as seeds and strokes, since joining. */
  acts: count,
  /** Time since the participant joined, in ms. */
  stay: number,
});
export type VisitorState = v.InferOutput<typeof visitorState>;

const drawingState = v.object({
  id: count,
  by: participantView,
  /** Time since the drawing was sent, in ms. */
  waited: number,
});

export const reportState = v.object({
  organism: count,
  kind: text,
  origin,
  planter,
  /** The parts of the organism if it is a chimera. */
  parts: v.optional(v.array(part)),
  /**
   * Whether the organism is still alive. `kind` and `parts` describe the organism at the time of
   * the report.
   */
  lives: truth,
  /** Tick at which the organism's picture was taken. */
  pictured: count,
  /** Number of participants who have reported this organism, not counting dismissed reports. */
  reporters: count,
  /** Time since the first report that the host has not dismissed, in ms. */
  waited: number,
});
export type ReportState = v.InferOutput<typeof reportState>;

export const wallState = v.object({
  /** Id of the wall's reserved seat; null if no seat is reserved for the wall. */
  id: v.nullable(count),
  /** The host's name for the wall. */
  name: text,
  /** `table`: whether this is a touch table. `blocked`: whether the host has blocked this table. */
  ...{ table: truth, blocked: truth },
  /** The path and query of the wall's URL; '' if the wall has no reserved seat. */
  path: text,
  /** Number of connected screens. Several screens may share one wall's seat. */
  screens: count,
  /** How long the wall has been connected, in ms; null if the wall is not connected. */
  upFor: v.nullable(number),
  /**
   * When the wall lost its connection; null if the wall is connected or has never been connected.
   */
  lost: v.nullable(number),
  /** Number of frames per second that the wall shows; 1 while nothing in the room changes. */
  frameRate: number,
  /** Languages for which at least one of the wall's screens has no font. */
  unwritable: v.array(v.picklist(LANGUAGE_CODES)),
});
export type WallState = v.InferOutput<typeof wallState>;

export const roomState = v.object({
  ...roomEntries,
  visitors: v.array(visitorState),
  /** Drawings that are waiting for the host's approval, oldest first. */
  drawings: v.array(drawingState),
  /** Reported organisms, most reported first. */
  reports: v.array(reportState),
  wallList: v.array(wallState),
});
export type RoomDetail = v.InferOutput<typeof roomState>;

export const banState = v.object({
  id: count,
  room: text,
  participant: count,
  name: text,
  /** Whether the ban applies to the participant's whole IP address, not only to the device. */
  address: truth,
  since: number,
  /** When the ban ends; null if the ban lasts until the host lifts it. */
  until: v.nullable(number),
});

/** A description of an access token, without the token itself. */
export const accessTokenState = v.object({
  id: count,
  name: text,
  role: v.picklist(ROLES),
  /** When the token was created. */
  made: number,
});
export type AccessTokenState = v.InferOutput<typeof accessTokenState>;

/** Times (`at`) of some of a film's pictures. `frame` is the index of the picture. */
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
  /** Completed share of the job, 0…1. */
  progress: number,
  /** Size of the job's file, in bytes; null if the job is not finished. */
  bytes: v.nullable(count),
  /** Why the job failed; null if it has not failed. */
  error: v.nullable(v.picklist(JOB_REASONS)),
  /**
   * Requested length of the film's period, in hours; null if the host requested a range of ticks.
   */
  hours: v.nullable(count),
  /** When the film's period begins; null if it is not known yet. */
  from: v.nullable(number),
  /** Times of the film's pictures; absent until the times are known. */
  times: v.optional(filmTimes),
  /** Number of pictures of the film that can already be shown. */
  frames: count,
  /** Total number of pictures; null if it is not known yet. */
  total: v.nullable(count),
  since: number,
  /** File name for the download. */
  file: text,
});
export type JobState = v.InferOutput<typeof jobState>;

export const snapshotState = v.object({
  tick: count,
  at: number,
  /** The host's name for the snapshot. A snapshot with a name does not expire. */
  name: v.nullable(text),
  /**
   * If the server took this snapshot because the host was about to act: the host's action.
   * Otherwise null.
   */
  before: v.nullable(v.picklist(['undo', 'restore', 'reseed'])),
  organisms: count,
});
export type SnapshotState = v.InferOutput<typeof snapshotState>;

export const checkpointState = v.object({
  name: text,
  title: text,
  /**
   * Whether a newer checkpoint has taken over this checkpoint's name. If so, existing rooms keep
   * this checkpoint, but new rooms cannot use it.
   */
  replaced: v.boolean(),
  /** Side length of an organism, in cells. */
  side: count,
  /**
   * One picture of all gallery creatures, as tiles: `columns` tiles per row, side×side pixels each.
   */
  sheet: v.object({ url: text, columns: count }),
});
export type CheckpointState = v.InferOutput<typeof checkpointState>;

/** Data that the server has set aside, usually because the data are damaged. */
export const asideState = v.object({
  /** Name of the folder with the data. */
  id: text,
  /** Name of the room; null if the data belong to the server or to all rooms. */
  room: v.nullable(text),
  at: number,
  /**
   * `file`: a damaged file. `room`: all data of a room. `records`: damaged records of a room or of
   * the server. `replaced`: a room's previous data, set aside when the host put other data back.
   */
  what: v.picklist(['file', 'room', 'records', 'replaced']),
  /**
   * If the room continued from a snapshot after its data were set aside: the snapshot's tick.
   * Otherwise null.
   */
  tick: v.nullable(count),
  why: text,
});
export type AsideState = v.InferOutput<typeof asideState>;

export const serverState = v.object({
  /** The server's name, unique in the cluster. */
  name: text,
  role: v.picklist(['owner', 'gateway', 'both']),
  version: text,
  /** When the server started. */
  since: number,
  /** Whether the server is handing its rooms to other servers and takes no new rooms. */
  draining: truth,
  /** Mean duration of a tick, in ms; null if no room has ticked. */
  tick: v.nullable(number),
  /** Latency of the server's messages through Valkey, in ms; null if it is unknown. */
  latency: v.nullable(number),
  /** Rooms that the server runs. */
  rooms: v.array(
    v.object({
      name: text,
      /** Epoch of the room's lease. Each new lease has a larger epoch. */
      epoch: count,
      /** Recent average of the number of awake cells in the room. */
      awake: count,
      /**
       * Whether the server should hand over its rooms (drain), but still runs this room, because no
       * other server has taken it over.
       */
      kept: truth,
    }),
  ),
  /** If this server is draining: rooms that neither it nor another server runs now. */
  leaving: v.optional(v.array(text), []),
  /** Rooms of other servers for which this server is a standby. */
  followed: v.optional(v.array(text), []),
  /** Number of pages connected through this server, for each room. */
  viewers: v.array(v.object({ room: text, connections: count })),
});
export type ServerState = v.InferOutput<typeof serverState>;

export const clusterState = v.object({
  /** Name of the server that sends this state. */
  own: text,
  /** Whether `servers` is up to date. If not, `servers` contains the last known states. */
  current: truth,
  /** All servers of the cluster, sorted by name. */
  servers: v.array(serverState),
});
export type ClusterState = v.InferOutput<typeof clusterState>;

export const hostState = v.object({
  version: text,
  engine: v.object({ name: text, device: text }),
  roomDefaults: roomSettings,
  now: number,
  /** When the server started. */
  since: number,
  /** Time zone of the server and of its schedule, such as 'Europe/Copenhagen'. */
  zone: text,
  /**
   * Whether changes of rooms are being stored on disk: false after a disk error, null if storage is
   * turned off.
   */
  keeping: v.nullable(truth),
  /**
   * Whether the machine's clock was set back within the last day. If so, stored times may be wrong.
   */
  clockSetBack: v.optional(truth),
  /** Data set aside by the server and not yet dismissed by the host, latest first. */
  aside: v.array(asideState),
  /** Whether walls are dimmed because it is outside the opening hours. */
  dim: truth,
  schedule,
  /**
   * Whether another program restarts the server after the server exits. The daily restart needs
   * such a program.
   */
  supervised: truth,
  /** The next event of the schedule; null if there is none. */
  next: v.nullable(v.object({ at: number, what: v.picklist(['open', 'close', 'restart']) })),
  /** URLs, without paths, at which visitors can reach this server, best first. */
  addresses: v.array(text),
  machine: v.object({
    /**
     * Free space on the disk of the data folder, in bytes; null if unknown or if storage is turned
     * off.
     */
    diskFree: v.nullable(count),
    /** Mean number of running or waiting processes per processor in the last minute. */
    load: finite,
    /** Memory that the server can still use, in bytes. */
    memoryFree: count,
  }),
  hasAlerts: truth,
  checkpoints: v.array(checkpointState),
  /** Folders in the library with checkpoints (trained models) not yet added to the server. */
  library: v.array(text),
  rooms: v.array(roomSummary),
  /** All bans; null if the access token's role may not see bans. */
  bans: v.nullable(v.array(banState)),
  jobs: v.array(jobState),
  /** The state of the cluster; null if the server is not in a cluster. */
  cluster: v.nullable(clusterState),
});
export type HostState = v.InferOutput<typeof hostState>;

export const sessionState = v.object({
  /** The session's key. Every call except GET requires it in the header `x-vivarium-key`. */
  key: text,
  /** When the host's session ends. */
  until: number,
});
export type SessionState = v.InferOutput<typeof sessionState>;

/** The body of every HTTP response whose status is not 2xx. */
export const refusal = v.object({
  reason: v.picklist(HOST_REASONS),
  detail: v.optional(text),
  /** How long to wait before the next attempt, in ms. */
  retryAfter: v.optional(number),
});
export type RefusalState = v.InferOutput<typeof refusal>;
