/**
 * The host page's API: HTTP under `/host/api` with JSON bodies. One table gives method, path and
 * schemas to both sides. A refusal is `{reason, detail?, retryAfter?}` (`refusal` in state.ts) with
 * a matching status.
 *
 * `login` answers with a session cookie, which scripts cannot read, and a key. Every call but GET
 * must carry that key in the header `x-vivarium-key`.
 *
 * Activity extends a session: every call but GET, and a GET with the header `x-vivarium-used`,
 * which the page sends if the host has used it since the last one.
 */
import * as v from 'valibot';
import { between, roomName, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES, SOURCE_LANGUAGE } from '../languages.ts';
import { roomSettings, schedule, settingsChange, settingsRequest } from './settings.ts';
import {
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

export const KEY_HEADER = 'x-vivarium-key';
export const USED_HEADER = 'x-vivarium-used';
/** Path prefix of all calls. */
export const API = '/host/api';

type Schema = v.GenericSchema<unknown, unknown>;

interface Call<B extends Schema, A extends Schema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Relative to `API`; `pathOf` fills in `:room` and other parameters. */
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

/** A call with these fields in its body; without an answer, it is answered with an empty object. */
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

/** A tick; without one, the first or last that is stored. */
const tick = v.optional(whole(0, Number.MAX_SAFE_INTEGER));

/** A command of the host that the room has done. */
const hostCommand = v.strictObject({
  tick: whole(0, Number.MAX_SAFE_INTEGER),
  id: whole(0, 0xffffffff),
});
export type HostCommand = v.InferOutput<typeof hostCommand>;

const undone = v.object({
  /** Seeds, wounds, crosses and removals that were undone; a stroke is one wound. */
  undone: whole(0, 0xffffffff),
  kept: v.nullable(snapshotState),
});

export const CALLS = {
  login: post('/login', { token: v.pipe(v.string(), v.maxLength(256)) }, sessionState),
  logout: post('/logout', {}),
  /** The session of the cookie, for a reloaded page. */
  session: get('/session', sessionState),
  state: get('/state', hostState),
  room: get('/rooms/:room', roomState),

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
  /** Only for closed rooms. A last snapshot is saved in the data folder. */
  removeRoom: remove('/rooms/:room', { confirm: v.string() }),

  changeSettings: call('PATCH', '/rooms/:room/settings', settingsRequest, roomSettings),
  /** Removes all organisms and plants new ones across the room. Takes a snapshot first. */
  reseed: post(
    '/rooms/:room/reseed',
    { organisms: whole(0, 64) },
    v.object({ planted: whole(0, 64), kept: v.nullable(snapshotState) }),
  ),

  /** Takes an organism off the list of reported ones, and leaves it as it is. */
  dismissReport: post('/rooms/:room/dismiss-report', { organism: id }),
  /**
   * Ends the day of a room: within a minute, or the given seconds, all organisms go. Nobody may act
   * meanwhile. Takes a snapshot first.
   */
  farewell: post(
    '/rooms/:room/farewell',
    { seconds: v.optional(whole(1, 600)) },
    v.object({ kept: v.nullable(snapshotState) }),
  ),
  /** Stops that; what still lives stays. */
  stopFarewell: remove('/rooms/:room/farewell', {}),

  removeOrganism: post(
    '/rooms/:room/remove-organism',
    { organism: id },
    v.object({ command: hostCommand }),
  ),
  /** Removes every organism that owns a place within a rectangle, in cells. */
  clearArea: post(
    '/rooms/:room/clear-area',
    {
      x: whole(0, 1_023),
      y: whole(0, 1_023),
      width: whole(1, 1_024),
      height: whole(1, 1_024),
    },
    v.object({ removed: whole(0, 0xffffffff), command: hostCommand }),
  ),
  /** Asks everybody in the room to look at a place, in cells. Walls stay there for a while. */
  spotlight: post('/rooms/:room/spotlight', { x: whole(0, 1_023), y: whole(0, 1_023) }),
  /** The participant may only watch; their cursor and name are hidden. */
  mute: post('/rooms/:room/mute', { participant: id, muted: v.boolean() }),
  /** Lets a waiting drawing become a seed of its visitor, or declines it. */
  decideDrawing: post('/rooms/:room/drawings/:drawing', { approve: v.boolean() }),
  ban: post(
    '/rooms/:room/ban',
    {
      participant: id,
      /** Whether to ban everybody at the address, not only the device. */
      address: v.boolean(),
      /** null: until it is lifted. */
      minutes: v.nullable(whole(1, 60 * 24 * 365)),
    },
    banState,
  ),
  liftBan: remove('/bans/:ban', {}),
  /** Gives a wall a place of its own: it is reached by the address in the answer. */
  addWall: post('/rooms/:room/walls', { name: label }, wallState),
  /** Takes the place back; a wall that has it stays up as one without. */
  removeWall: remove('/rooms/:room/walls/:wall', {}),
  /**
   * Undoes the commands of the last seconds, of one participant (0: the host) or of all but the host
   * (null: the gardener and programs too), by replaying the journal without them. Other commands stay. Takes a snapshot first.
   */
  undo: post(
    '/rooms/:room/undo',
    {
      seconds: whole(1, 600),
      /** Seconds since the last of them, for somebody who has been asked whether they are sure. */
      ago: v.optional(whole(0, 600), 0),
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

  /** Exchanges a room's data with those that were set aside; that can be done again. */
  putBack: post('/aside/:aside/put-back', {}),
  /** Removes an entry from the list; its data stay in the data folder. */
  dismissAside: remove('/aside/:aside', {}),

  /**
   * Renders a time-lapse film in the background; by default of the last 24 hours, as far as stored.
   */
  timelapse: post(
    '/rooms/:room/timelapse',
    {
      kind: v.picklist(['gif', 'png']),
      /** Hours until now, unless ticks are given. */
      hours: v.optional(whole(1, 24 * 7)),
      from: tick,
      to: tick,
      /** Length of the film in seconds, at 15 frames per second. */
      seconds: v.optional(whole(1, 60)),
    },
    jobState,
  ),
  /** Shows a film on the room's walls instead of the room, for a while, finished or not. */
  showFilm: post('/rooms/:room/film', {
    job: v.pipe(v.string(), v.maxLength(32)),
    /** The picture to begin with. */
    frame: whole(0, 10_000),
    /** Pictures per second; 0: it stands still. */
    speed: between(0, 60),
  }),
  /** Walls show the whole room again, instead of a film or of a place from close by. */
  showRoom: post('/rooms/:room/show-room', {}),
  stopJob: remove('/jobs/:job', {}),

  statistics: get('/rooms/:room/statistics', statistics),

  setSchedule: call('PUT', '/schedule', schedule, schedule),

  /** Has a server of the cluster give its rooms to others and take none, until that is stopped. */
  drain: post('/servers/:server/drain', {}),
  stopDraining: remove('/servers/:server/drain', {}),
} as const;

export type CallName = keyof typeof CALLS;
export type CallBody<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['body']>;
export type CallAnswer<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['answer']>;

/** Files and pictures: GET, with the session's cookie. */
export const FILES = {
  /** PNG of a snapshot, one pixel per place. */
  snapshotPicture: '/rooms/:room/snapshots/:tick/picture.png',
  /** PNG of a waiting drawing, one pixel per cell. */
  drawing: '/rooms/:room/drawings/:drawing/picture.png',
  /** PNG of what it grows into: a row of square pictures, the grown one last. */
  grownDrawing: '/rooms/:room/drawings/:drawing/grown.png',
  /** PNG of a reported organism as it was then, on black, one pixel per cell. */
  organism: '/rooms/:room/organisms/:organism/picture.png',
  /** PNG of the room now, or of a closed room as it was last; one pixel per place. */
  picture: '/rooms/:room/picture.png',
  /**
   * A replay bundle: all events between two ticks (`?from=&to=`; by default those of the last hour), for `npm run
   * replay`.
   */
  replayBundle: '/rooms/:room/replay-bundle',
  /** A picture of a film, finished or not: the planes of the room, RGBA, then owners. */
  frame: '/jobs/:job/frames/:frame',
  /** The same without a session, for a film that is shown on a wall. */
  wallFrame: '/films/:job/:frame',
  /** The result of a job. */
  job: '/jobs/:job/file',
  /** `?by=hour` or `?by=day` (the default). */
  statistics: '/rooms/:room/statistics.csv',
  /**
   * `?paper=A4|A3&language=<language code>&address=` one of `HostState.addresses`; the first by
   * default.
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
