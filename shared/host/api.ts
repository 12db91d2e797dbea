/**
 * The host page's API: HTTP under `/host/api` with JSON bodies. One table gives method, path and
 * schemas to both sides. A refusal is `{reason, detail?, retryAfter?}` (`refusal` in state.ts) with
 * a matching status.
 *
 * Programs send an access token as `authorization: Bearer <token>`; roles.ts says which role may
 * make which call. The document for their authors is at `OPENAPI`.
 *
 * `login` answers with a session cookie, which scripts cannot read, and a key. Every call but GET
 * must carry that key in the header `x-vivarium-key`.
 *
 * Activity extends a session: every call but GET, and a GET with the header `x-vivarium-used`,
 * which the page sends if the host has used the page since its last call.
 */

import * as v from 'valibot';
import { between, roomName, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES, SOURCE_LANGUAGE } from '../languages.ts';
import { COMMANDS } from '../protocol/commands.ts';
import { EVENTS } from '../protocol/events.ts';
import { REASONS } from '../protocol/reasons.ts';
import { seedView } from '../vocabulary.ts';
import { ROLES } from './roles.ts';
import { roomSettings, schedule, settingsChange, settingsRequest } from './room-settings.ts';
import {
  accessTokenState,
  banState,
  hostState,
  jobState,
  roomState,
  roomSummary,
  sessionState,
  snapshotState,
  statistics,
  wallState,
} from './state.ts';

/** If no part of an answer has arrived for this long, in ms, the request has failed. */
export const ANSWER_PATIENCE = 10_000;

export const KEY_HEADER = 'x-vivarium-key';
export const USED_HEADER = 'x-vivarium-used';
/** Maximum period that an undo can cover, in seconds. One snapshot per minute of it is kept. */
export const MOST_UNDO = 600;
/** Maximum size of a logo's file, in bytes. */
export const MAX_LOGO_BYTES = 256_000;
/** Path prefix of all calls. */
export const API = '/host/api';
/** Path of the OpenAPI document, relative to `API`. */
export const OPENAPI = '/openapi.json';

type Schema = v.GenericSchema<unknown, unknown>;

interface Call<B extends Schema, A extends Schema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path relative to `API`, in which `pathOf` fills in `:room` and other parameters. */
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

/** Defines a POST call with these fields in its body. The default answer is an empty object. */
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

/** A tick. If absent, the first or the last stored tick. */
const tick = v.optional(whole(0, Number.MAX_SAFE_INTEGER));

/** A place of a room, in cells. */
const place = { x: whole(0, 1_023), y: whole(0, 1_023) };

/** Where in the hall somebody is, and how strongly a sensor perceives them. */
export const presence = v.strictObject({
  ...place,
  /** 0: nobody is there. 1: one person is there. */
  strength: between(0, 1),
});
export type HallPresence = v.InferOutput<typeof presence>;

/** Commands of the protocol that programs may send. Their planter is "The house". */
const ACTS = ['plant', 'damage', 'cross', 'transform', 'graft'] as const;
const act = v.variant(
  'what',
  ACTS.map((what) => {
    const { id: _, ...fields } = COMMANDS[what].entries;
    return v.strictObject({ what: v.literal(what), ...(fields as v.ObjectEntries) });
  }) as never,
) as v.GenericSchema<unknown, { readonly what: (typeof ACTS)[number] }>;

/** A command of the host that the room has executed. */
const hostCommand = v.strictObject({
  tick: whole(0, Number.MAX_SAFE_INTEGER),
  id: whole(0, 0xffffffff),
});
export type HostCommand = v.InferOutput<typeof hostCommand>;

const undone = v.object({
  /** Number of undone seeds, strokes, crosses and removals. A stroke counts once. */
  undone: whole(0, 0xffffffff),
  kept: v.nullable(snapshotState),
});

export const CALLS = {
  login: post('/login', { token: v.pipe(v.string(), v.maxLength(256)) }, sessionState),
  logout: post('/logout', {}),
  /** Returns the session that the cookie belongs to, so that a reloaded page can continue it. */
  session: get('/session', sessionState),
  state: get('/state', hostState),
  room: get('/rooms/:room', roomState),
  /** Returns the gallery of a checkpoint and the order in which it is offered. */
  gallery: get('/checkpoints/:checkpoint', EVENTS.welcome.entries.checkpoint),

  /** Returns the fingerprint of a checkpoint in a server's library, and whether rooms can use it. */
  libraryCheckpoint: get(
    '/servers/:server/library/:folder',
    v.object({ hash: v.string(), added: v.boolean() }),
  ),
  /** Adds a checkpoint of the library, so that rooms can use it. */
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
  /** Removes a closed room. A last snapshot is saved in the data folder. */
  removeRoom: remove('/rooms/:room', { confirm: v.string() }),

  /**
   * Stores a picture as the logo of a room's exhibition. Returns its path, for the setting `logo`.
   * Any server of a cluster can do this, because the picture is not stored with the room.
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
  /** Removes all organisms and plants new ones across the room. Takes a snapshot first. */
  reseed: post(
    '/rooms/:room/reseed',
    { organisms: whole(0, 64) },
    v.object({ planted: whole(0, 64), kept: v.nullable(snapshotState) }),
  ),

  /** Removes an organism from the list of reported organisms, without changing the organism. */
  dismissReport: post('/rooms/:room/dismiss-report', { organism: id }),
  /**
   * Ends the day of a room: all organisms dissolve within a minute, or within the given seconds.
   * Nobody may act during this time. Takes a snapshot first.
   */
  farewell: post(
    '/rooms/:room/farewell',
    { seconds: v.optional(whole(1, 600)) },
    v.object({ kept: v.nullable(snapshotState) }),
  ),
  /** Stops the farewell; organisms that are still alive stay. */
  stopFarewell: remove('/rooms/:room/farewell', {}),

  removeOrganism: post(
    '/rooms/:room/remove-organism',
    { organism: id },
    v.object({ command: hostCommand }),
  ),
  /**
   * Removes every organism that owns a cell within a rectangle. The rectangle is given in cells.
   */
  clearArea: post(
    '/rooms/:room/clear-area',
    { ...place, width: whole(1, 1_024), height: whole(1, 1_024) },
    v.object({ removed: whole(0, 0xffffffff), command: hostCommand }),
  ),
  /** Removes all grafts of a participant, who may have left. `removed` is the number of organisms. */
  removeGrafts: post(
    '/rooms/:room/remove-grafts',
    { participant: id },
    v.object({ removed: whole(0, 0xffffffff), command: hostCommand }),
  ),
  /** Asks everybody in the room to look at a position, in cells. Walls show it for a while. */
  spotlight: post('/rooms/:room/spotlight', place),
  /**
   * Mutes or unmutes a participant. Muted participants may only watch, and their cursors and names
   * are hidden.
   */
  mute: post('/rooms/:room/mute', { participant: id, muted: v.boolean() }),
  /** Approves a waiting drawing, which becomes a seed in its visitor's hand, or declines it. */
  decideDrawing: post('/rooms/:room/drawings/:drawing', { approve: v.boolean() }),
  ban: post(
    '/rooms/:room/ban',
    {
      participant: id,
      /** Whether to ban everybody at the visitor's address, not only the visitor's device. */
      address: v.boolean(),
      /** Duration in minutes; null if the ban lasts until the host lifts it. */
      minutes: v.nullable(whole(1, 60 * 24 * 365)),
    },
    banState,
  ),
  liftBan: remove('/bans/:ban', {}),
  /** Creates a wall or touch table with a seat of its own. The answer contains its address. */
  addWall: post('/rooms/:room/walls', { name: label, table: v.optional(v.boolean()) }, wallState),
  /** Blocks a touch table, so that it only shows the room, or lets it be used again. */
  blockTable: post('/rooms/:room/walls/:wall/block', { blocked: v.boolean() }),
  /**
   * Removes the seat of a wall or table. A connected wall stays up without a seat of its own; a
   * table is disconnected.
   */
  removeWall: remove('/rooms/:room/walls/:wall', {}),
  /**
   * Undoes recent commands by replaying the journal without them. A participant's id undoes only
   * their commands (0: the host's); null undoes the commands of everybody but the host, including
   * the gardener and programs. Other commands stay. Takes a snapshot first.
   */
  undo: post(
    '/rooms/:room/undo',
    {
      seconds: whole(1, MOST_UNDO),
      /**
       * Seconds between the end of the undone period and now: how long the host took to confirm.
       */
      ago: v.optional(whole(0, MOST_UNDO), 0),
      participant: v.nullable(whole(0, 0xffffffff)),
    },
    undone,
  ),
  /** Undoes a single command of the host, such as a removal. */
  undoCommand: post('/rooms/:room/undo-command', hostCommand.entries, undone),

  snapshots: get('/rooms/:room/snapshots', v.array(snapshotState)),
  takeSnapshot: post('/rooms/:room/snapshots', { name: label }, snapshotState),
  /** Removes a snapshot's name. It then expires like the others. */
  unnameSnapshot: remove('/rooms/:room/snapshots/:tick', {}),
  /** Restores a snapshot. Takes a snapshot of the current state first. */
  restore: post('/rooms/:room/snapshots/:tick/restore', {}, v.object({ kept: snapshotState })),

  /**
   * Exchanges a room's current data with data that were set aside. A second call reverts the
   * exchange.
   */
  putBack: post('/aside/:aside/put-back', {}),
  /** Removes an entry from the list of data set aside. Its data stay in the data folder. */
  dismissAside: remove('/aside/:aside', {}),

  /**
   * Renders a time-lapse film in the background. By default, it shows the stored part of the last
   * 24 hours.
   */
  timelapse: post(
    '/rooms/:room/timelapse',
    {
      kind: v.picklist(['gif', 'png']),
      /** Number of hours before now that the film shows; ignored if ticks are given. */
      hours: v.optional(whole(1, 24 * 7)),
      from: tick,
      to: tick,
      /** Length of the film in seconds, at 15 frames per second. */
      seconds: v.optional(whole(1, 60)),
    },
    jobState,
  ),
  /** Shows a film, even an unfinished one, on the room's walls for a while instead of the room. */
  showFilm: post('/rooms/:room/film', {
    job: v.pipe(v.string(), v.maxLength(32)),
    /** Index of the picture to begin with. */
    frame: whole(0, 10_000),
    /** Pictures per second; 0 if the film stands still. */
    speed: between(0, 60),
  }),
  /** Makes walls show the whole room again instead of a film or a close-up. */
  showRoom: post('/rooms/:room/show-room', {}),
  stopJob: remove('/jobs/:job', {}),

  statistics: get('/rooms/:room/statistics', statistics),

  /** Pauses visitors' commands in a room, or resumes them. */
  pause: post('/rooms/:room/pause', { paused: v.boolean() }),
  /**
   * Reports what a sensor in the hall perceives. Creatures near the position wake. How many people
   * there are changes how lively the room is.
   */
  presence: post('/rooms/:room/presence', presence.entries),

  /** Plants, wounds, crosses, transforms or grafts. Answers after the next tick. */
  act: call(
    'POST',
    '/rooms/:room/act',
    act,
    v.object({
      refused: v.optional(v.object({ reason: v.picklist(REASONS), detail: v.string() })),
      seed: v.optional(seedView),
    }),
  ),

  /** Lists the tokens with which programs make calls. */
  tokens: get('/tokens', v.array(accessTokenState)),
  /** Makes a token. Only this answer contains the token itself. */
  makeToken: post(
    '/tokens',
    { name: label, role: v.picklist(ROLES) },
    v.object({ ...accessTokenState.entries, token: v.string() }),
  ),
  /** Revokes a token immediately, on all servers of a cluster. */
  revokeToken: remove('/tokens/:token', {}),

  setSchedule: call('PUT', '/schedule', schedule, schedule),

  /** Posts a test message to the URL of `--alerts`, and waits until it is delivered. */
  testAlert: post('/alerts/test', {}),

  /** Makes a server of the cluster give its rooms to others and take none, until stopped. */
  drain: post('/servers/:server/drain', {}),
  stopDraining: remove('/servers/:server/drain', {}),
} as const;

export type CallName = keyof typeof CALLS;

/** Calls that begin, check or end a session of the host's page; programs do not make them. */
export const LOGIN_CALLS: readonly string[] = ['login', 'logout', 'session'];
export type CallBody<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['body']>;
export type CallAnswer<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['answer']>;

/** Paths of files and pictures, fetched by GET with the session's cookie. */
export const FILES = {
  /** PNG of a snapshot, one pixel per cell. */
  snapshotPicture: '/rooms/:room/snapshots/:tick/picture.png',
  /** PNG of a waiting drawing, one pixel per cell. */
  drawing: '/rooms/:room/drawings/:drawing/picture.png',
  /** PNG of a waiting drawing's growth: a row of square pictures, the grown organism last. */
  grownDrawing: '/rooms/:room/drawings/:drawing/grown.png',
  /** PNG of a reported organism at the time of the report, on black, one pixel per cell. */
  organism: '/rooms/:room/organisms/:organism/picture.png',
  /** PNG of the room now, or of a closed room's last state; one pixel per cell. */
  picture: '/rooms/:room/picture.png',
  /**
   * Replay bundle with the events between two ticks (`?from=&to=`) or, without them, of the last
   * hour.
   */
  replayBundle: '/rooms/:room/replay-bundle',
  /** A picture of a film, finished or not, as planes: RGBA, then owners. */
  frame: '/jobs/:job/frames/:frame',
  /** A picture of a film for walls, without a session. */
  wallFrame: '/films/:job/:frame',
  /** The logo of a room's exhibition for all pages, without a session. */
  logo: '/logos/:name',
  job: '/jobs/:job/file',
  /** Statistics as CSV, `?by=hour` or `?by=day` (the default). */
  statistics: '/rooms/:room/statistics.csv',
  /**
   * A sign to print. Query: `?paper=A4|A3&language=<language code>&address=<address>`, with one of
   * `HostState.addresses`. If the address is absent, the first of them is used.
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
 * Fills in the parameters of a path and prefixes it with `API`.
 *
 * @param path from `CALLS` or `FILES`
 */
export function pathOf(
  path: string,
  parts: Readonly<Record<string, string | number>> = {},
): string {
  return API + path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
}
