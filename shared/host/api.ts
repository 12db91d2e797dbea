/**
 * The host's API: HTTP under `/host/api`, with JSON bodies. The tables `CALLS` and `FILES` define
 * paths and schemas for client and server. If the server refuses a request, the body is `{reason,
 * detail?, retryAfter?}`.
 *
 * Programs send an access token as `authorization: Bearer <token>`. roles.ts defines which calls a
 * token may make.
 *
 * When a host signs in with `login`, the server returns an HTTP-only session cookie and a key.
 * Every call except GET must contain the key in the header `x-vivarium-key`.
 *
 * A session ends after a time without activity. Every call except GET counts as activity. A GET
 * counts only if it has the header `x-vivarium-used`. The page adds this header if the host has
 * used the page since the page's previous call.
 */

import * as v from 'valibot';
import { between, roomName, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES, SOURCE_LANGUAGE } from '../languages.ts';
import { MAX_LOGO_BYTES, MOST_UNDO } from '../limits.ts';
import { COMMANDS } from '../protocol/commands.ts';
import { EVENTS } from '../protocol/events.ts';
import { REASONS } from '../protocol/reasons.ts';
import { seedView } from '../vocabulary.ts';
import { schedule } from './opening-hours.ts';
import { ROLES } from './roles.ts';
import { roomSettings, settingsChange, settingsRequest } from './room-settings.ts';
import {
  accessTokenState,
  banState,
  hostState,
  jobState,
  roomState,
  roomSummary,
  sessionState,
  snapshotState,
  wallState,
} from './state.ts';
import { statistics } from './visit-statistics.ts';

/** Maximum time to wait for the next part of an answer, in ms. After this time, a request fails. */
export const ANSWER_PATIENCE = 10_000;

export const KEY_HEADER = 'x-vivarium-key';
export const USED_HEADER = 'x-vivarium-used';
export const API = '/host/api';
/** Path of the API's OpenAPI document, relative to `API`. */
export const OPENAPI = '/openapi.json';

type Schema = v.GenericSchema<unknown, unknown>;

interface Call<B extends Schema, A extends Schema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path relative to `API`, with parameters such as `:room`. */
  readonly path: string;
  readonly body: B;
  readonly answer: A;
}

const nothing = v.strictObject({});

function call<B extends Schema, A extends Schema>(
  method: Call<B, A>['method'],
  path: string,
  body: B,
  answer: A,
): Call<B, A> {
  return { method, path, body, answer };
}

const get = <A extends Schema>(path: string, answer: A) => call('GET', path, nothing, answer);

/**
 * Defines a POST call.
 *
 * @param fields schemas of the body's fields
 */
const post = <E extends v.ObjectEntries, A extends Schema = typeof nothing>(
  path: string,
  fields: E,
  answer = nothing as unknown as A,
) => call('POST', path, v.strictObject(fields), answer);

const remove = <E extends v.ObjectEntries>(path: string, fields: E) =>
  call('DELETE', path, v.strictObject(fields), nothing);

const id = whole(1, 0xffffffff);
const label = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80));
const side = whole(32, 1_024);

/** First or last tick of a range. By default, the first or last stored tick. */
const tick = v.optional(whole(0, Number.MAX_SAFE_INTEGER));

/** Position in a room, in cells. */
const place = { x: whole(0, 1_023), y: whole(0, 1_023) };

/**
 * A sensor's report: whether people are at a position in the hall. `x` and `y` are the
 * corresponding cell of the room.
 */
export const presence = v.strictObject({
  ...place,
  /** Strength of the signal: 0 if nobody is at the position, 1 if one person is there. */
  strength: between(0, 1),
});
export type HallPresence = v.InferOutput<typeof presence>;

/** Commands that programs may send. */
const ACTS = ['plant', 'damage', 'cross', 'transform', 'graft'] as const;
const act = v.variant(
  'what',
  ACTS.map((what) => {
    const { id: _, ...fields } = COMMANDS[what].entries;
    return v.strictObject({ what: v.literal(what), ...(fields as v.ObjectEntries) });
  }) as never,
) as v.GenericSchema<unknown, { readonly what: (typeof ACTS)[number] }>;

/** Identifies a host's command in a room's journal. */
const hostCommand = v.strictObject({
  tick: whole(0, Number.MAX_SAFE_INTEGER),
  id: whole(0, 0xffffffff),
});
export type HostCommand = v.InferOutput<typeof hostCommand>;

const undone = v.object({
  /** Number of undone commands. A stroke of several messages counts as one command. */
  undone: whole(0, 0xffffffff),
  kept: v.nullable(snapshotState),
});

export const CALLS = {
  login: post('/login', { token: v.pipe(v.string(), v.maxLength(256)) }, sessionState),
  logout: post('/logout', {}),
  /** Returns the session of the request's cookie, so that a reloaded page stays signed in. */
  session: get('/session', sessionState),
  state: get('/state', hostState),
  room: get('/rooms/:room', roomState),
  /** Returns the public data of a checkpoint, such as its gallery. */
  gallery: get('/checkpoints/:checkpoint', EVENTS.welcome.entries.checkpoint),

  /**
   * Returns the hash of a checkpoint in a server's library. `added`: whether rooms can use the
   * checkpoint.
   */
  libraryCheckpoint: get(
    '/servers/:server/library/:folder',
    v.object({ hash: v.string(), added: v.boolean() }),
  ),
  /** Adds a checkpoint from the library to all servers, so that new rooms can use it. */
  addCheckpoint: post(
    '/library',
    { folder: v.pipe(v.string(), v.regex(/^\w[\w.-]*$/), v.maxLength(64)) },
    v.object({ checkpoint: v.string() }),
  ),

  createRoom: post(
    '/rooms',
    {
      name: roomName,
      width: side,
      height: side,
      checkpoint: v.pipe(v.string(), v.maxLength(128)),
      settings: v.optional(settingsChange),
    },
    roomSummary,
  ),
  openRoom: post('/rooms/:room/open', {}, roomSummary),
  closeRoom: post('/rooms/:room/close', {}, roomSummary),
  /** Removes a closed room, and saves the room's last state in the data folder. */
  removeRoom: remove('/rooms/:room', { confirm: v.string() }),

  /**
   * Stores a picture as the logo of a room's exhibition. Returns a path to use as the setting
   * `logo`.
   */
  putLogo: call(
    'PUT',
    '/logos/:name',
    v.strictObject({
      /** PNG, JPEG or WebP of at most `MAX_LOGO_BYTES`, in base64. */
      picture: v.pipe(v.string(), v.base64(), v.maxLength(Math.ceil(MAX_LOGO_BYTES / 3) * 4)),
    }),
    v.object({ logo: v.string() }),
  ),
  changeSettings: call('PATCH', '/rooms/:room/settings', settingsRequest, roomSettings),
  /** Takes a snapshot, removes all organisms, and plants new ones across the room. */
  reseed: post(
    '/rooms/:room/reseed',
    { organisms: whole(0, 64) },
    v.object({ planted: whole(0, 64), kept: v.nullable(snapshotState) }),
  ),

  /** Removes an organism from the list of reported organisms. The organism stays in the room. */
  dismissReport: post('/rooms/:room/dismiss-report', { organism: id }),
  /**
   * Takes a snapshot, and then ends the day of a room: all organisms dissolve within the given
   * number of seconds, by default 60. Visitors cannot act during this time.
   */
  farewell: post(
    '/rooms/:room/farewell',
    { seconds: v.optional(whole(1, 600)) },
    v.object({ kept: v.nullable(snapshotState) }),
  ),
  /** Stops a farewell (the end of a room's day). Organisms not yet dissolving stay in the room. */
  stopFarewell: remove('/rooms/:room/farewell', {}),

  removeOrganism: post(
    '/rooms/:room/remove-organism',
    { organism: id },
    v.object({ command: hostCommand }),
  ),
  /** Removes every organism that owns a cell in a rectangle, given in cells. */
  clearArea: post(
    '/rooms/:room/clear-area',
    { ...place, width: whole(1, 1_024), height: whole(1, 1_024) },
    v.object({ removed: whole(0, 0xffffffff), command: hostCommand }),
  ),
  /**
   * Removes all grafts of a participant, even if the participant has left. `removed`: number of
   * changed organisms.
   */
  removeGrafts: post(
    '/rooms/:room/remove-grafts',
    { participant: id },
    v.object({ removed: whole(0, 0xffffffff), command: hostCommand }),
  ),
  /**
   * Asks everybody in a room to look at a position, given in cells. Walls show this position for a
   * while.
   */
  spotlight: post('/rooms/:room/spotlight', place),
  /**
   * Mutes or unmutes a participant. A muted participant can only watch, and is invisible to others.
   */
  mute: post('/rooms/:room/mute', { participant: id, muted: v.boolean() }),
  /**
   * Approves or declines a waiting drawing. The visitor can plant an approved drawing as a seed.
   */
  decideDrawing: post('/rooms/:room/drawings/:drawing', { approve: v.boolean() }),
  ban: post(
    '/rooms/:room/ban',
    {
      participant: id,
      /**
       * If true, everybody at the visitor's network address is banned. If false, only the visitor's
       * device is banned.
       */
      address: v.boolean(),
      /** Duration in minutes; null for a ban without an end. */
      minutes: v.nullable(whole(1, 60 * 24 * 365)),
    },
    banState,
  ),
  liftBan: remove('/bans/:ban', {}),
  /**
   * Reserves a seat for a wall or touch table. The answer contains the path that the wall or touch
   * table must open.
   */
  addWall: post('/rooms/:room/walls', { name: label, table: v.optional(v.boolean()) }, wallState),
  /** Blocks or unblocks a touch table. A blocked table only shows the room. */
  blockTable: post('/rooms/:room/walls/:wall/block', { blocked: v.boolean() }),
  /**
   * Removes the seat of a wall or touch table. A connected table is disconnected; a connected wall
   * stays connected.
   */
  removeWall: remove('/rooms/:room/walls/:wall', {}),
  /**
   * Takes a snapshot, and undoes recent commands by replaying the journal without them.
   * `participant` is the id of the participant whose commands are undone, 0 for the host's
   * commands, or null for the commands of everybody except the host.
   */
  undo: post(
    '/rooms/:room/undo',
    {
      seconds: whole(1, MOST_UNDO),
      /**
       * How many seconds ago the period to undo ended. The host's page sends the time since it
       * asked the host for confirmation, so that later commands are not undone.
       */
      ago: v.optional(whole(0, MOST_UNDO), 0),
      participant: v.nullable(whole(0, 0xffffffff)),
    },
    undone,
  ),
  undoCommand: post('/rooms/:room/undo-command', hostCommand.entries, undone),

  snapshots: get('/rooms/:room/snapshots', v.array(snapshotState)),
  takeSnapshot: post('/rooms/:room/snapshots', { name: label }, snapshotState),
  /** Removes a snapshot's name. The snapshot then expires like any unnamed snapshot. */
  unnameSnapshot: remove('/rooms/:room/snapshots/:tick', {}),
  /** Takes a snapshot of the current state, and restores an earlier snapshot. */
  restore: post('/rooms/:room/snapshots/:tick/restore', {}, v.object({ kept: snapshotState })),

  /**
   * Replaces a room's data with data that were set aside. The server sets the room's previous data
   * aside.
   */
  putBack: post('/aside/:aside/put-back', {}),
  /** Removes an entry from the list of data set aside. The data stay in the data folder. */
  dismissAside: remove('/aside/:aside', {}),

  /**
   * Starts rendering a time-lapse film of a room. By default, the film shows the last 24 hours, or
   * less if less is stored.
   */
  timelapse: post(
    '/rooms/:room/timelapse',
    {
      kind: v.picklist(['gif', 'png']),
      /** Length of the period to show, in hours before now. Ignored if `from` or `to` is given. */
      hours: v.optional(whole(1, 24 * 7)),
      from: tick,
      to: tick,
      /** Length of the film in seconds, at 15 frames per second. */
      seconds: v.optional(whole(1, 60)),
    },
    jobState,
  ),
  /** Shows a film on the room's walls for a while, even if the film is not completely rendered. */
  showFilm: post('/rooms/:room/film', {
    job: v.pipe(v.string(), v.maxLength(32)),
    /** Index of the film's picture to begin with. */
    frame: whole(0, 10_000),
    /** Pictures per second; 0 for a still picture. */
    speed: between(0, 60),
  }),
  /** Makes walls show the whole room again instead of a film or close-up. */
  showRoom: post('/rooms/:room/show-room', {}),
  stopJob: remove('/jobs/:job', {}),

  statistics: get('/rooms/:room/statistics', statistics),

  pause: post('/rooms/:room/pause', { paused: v.boolean() }),
  /** Reports whether people are at a position in the hall. Organisms near this position wake. */
  presence: post('/rooms/:room/presence', presence.entries),

  /**
   * Executes a program's command in a room. The server answers after the tick that executes the
   * command.
   */
  act: call(
    'POST',
    '/rooms/:room/act',
    act,
    v.object({
      refused: v.optional(v.object({ reason: v.picklist(REASONS), detail: v.string() })),
      seed: v.optional(seedView),
    }),
  ),

  /** Lists the access tokens of programs, without their secrets. */
  tokens: get('/tokens', v.array(accessTokenState)),
  /** Creates an access token. No other answer contains the token's secret. */
  makeToken: post(
    '/tokens',
    { name: label, role: v.picklist(ROLES) },
    v.object({ ...accessTokenState.entries, token: v.string() }),
  ),
  /** Revokes an access token immediately, on all servers of a cluster. */
  revokeToken: remove('/tokens/:token', {}),

  setSchedule: call('PUT', '/schedule', schedule, schedule),

  /**
   * Sends a test message to the webhook given by the option `--alerts`. The server answers after
   * the message is delivered.
   */
  testAlert: post('/alerts/test', {}),

  /**
   * Makes a server hand its rooms to other servers. The server takes no rooms until `stopDraining`.
   */
  drain: post('/servers/:server/drain', {}),
  stopDraining: remove('/servers/:server/drain', {}),
} as const;

export type CallName = keyof typeof CALLS;

/**
 * Calls that start, end or read the login session of the host's page. Programs cannot make these
 * calls.
 */
export const LOGIN_CALLS: readonly string[] = ['login', 'logout', 'session'];
export type CallBody<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['body']>;
export type CallAnswer<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['answer']>;

/**
 * Paths of files and pictures for GET requests. Most require a session cookie or an access token.
 */
export const FILES = {
  /** PNG of a snapshot, one pixel per cell. */
  snapshotPicture: '/rooms/:room/snapshots/:tick/picture.png',
  /** PNG of a waiting drawing, one pixel per cell. */
  drawing: '/rooms/:room/drawings/:drawing/picture.png',
  /**
   * PNG with a row of square pictures that show how a waiting drawing would grow. The last picture
   * shows the grown organism.
   */
  grownDrawing: '/rooms/:room/drawings/:drawing/grown.png',
  /** PNG of a reported organism at the time of the report, on black, one pixel per cell. */
  organism: '/rooms/:room/organisms/:organism/picture.png',
  /** PNG of the room, or of a closed room's last state, one pixel per cell. */
  picture: '/rooms/:room/picture.png',
  /** Replay bundle for the ticks from `from` to `to` in the query. By default, the last hour. */
  replayBundle: '/rooms/:room/replay-bundle',
  /**
   * One picture of a film: the premultiplied RGBA of all cells, then the owners of all cells. The
   * film may be unfinished.
   */
  frame: '/jobs/:job/frames/:frame',
  /** One picture of a film, for walls. Requires no session. */
  wallFrame: '/films/:job/:frame',
  /** The logo of a room's exhibition. Requires no session. */
  logo: '/logos/:name',
  job: '/jobs/:job/file',
  /** Statistics as CSV. Query: `?by=hour` or `?by=day`, by default `day`. */
  statistics: '/rooms/:room/statistics.csv',
  /**
   * A sign to print. Query: `?paper=A4|A3&language=<language code>&address=<address>`. The address
   * must be one of `HostState.addresses`, by default the first.
   */
  sign: '/rooms/:room/sign.svg',
} as const;

export const PAPERS = ['A4', 'A3'] as const;
export type Paper = (typeof PAPERS)[number];

export const signQuery = v.object({
  paper: v.optional(v.picklist(PAPERS), 'A4'),
  language: v.optional(v.picklist(LANGUAGE_CODES), SOURCE_LANGUAGE),
  address: v.optional(v.pipe(v.string(), v.maxLength(256))),
});

/**
 * Replaces the parameters of a path (such as `:room`) with values, and puts `API` before it.
 *
 * @param path from `CALLS` or `FILES`
 */
export function pathOf(
  path: string,
  parts: Readonly<Record<string, string | number>> = {},
): string {
  return API + path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
}
