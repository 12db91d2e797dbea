/**
 * What the host's page may ask of the server: HTTP under `/host/api`, JSON both ways. One table gives method, path and schemas
 * to both sides. A refusal is `{reason, detail?, retryAfter?}` of `refusal` in state.ts, with a status that fits.
 *
 * `login` answers with a session cookie, which pages cannot read, and a key. Every call but GET must carry that key in the
 * header `x-vivarium-key`.
 *
 * A session lives on by what the host does: every call but GET, and a GET with the header `x-vivarium-used`, which the page sends
 * when she has touched it since the last.
 */
import * as v from 'valibot';
import { LANGUAGE_CODES, SOURCE_LANGUAGE } from '../languages.ts';
import { roomSettings, schedule, settingsChange } from './settings.ts';
import {
  banState,
  hostState,
  jobState,
  roomState,
  roomSummary,
  sessionState,
  snapshotState,
} from './state.ts';
import { statistics } from './statistics.ts';

export const KEY_HEADER = 'x-vivarium-key';
export const USED_HEADER = 'x-vivarium-used';
/** Where all calls are. */
export const API = '/host/api';

type Schema = v.GenericSchema<unknown, unknown>;

interface Call<B extends Schema, A extends Schema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Under `API`; `:room` and such are filled in by `pathOf`. */
  readonly path: string;
  readonly body: B;
  readonly answer: A;
}

const nothing = v.strictObject({});

function get<A extends Schema>(path: string, answer: A): Call<typeof nothing, A> {
  return { method: 'GET', path, body: nothing, answer };
}

function call<B extends Schema, A extends Schema>(
  method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body: B,
  answer: A,
): Call<B, A> {
  return { method, path, body, answer };
}

const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
const id = whole(1, 0xffffffff);

/** Names of rooms go into addresses. */
export const roomName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,32}$/, 'names have a-z, 0-9 and -, 32 at most'),
);
const label = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80));
const side = whole(32, 1_024);

/** A tick, or nothing for the first or last that is kept. */
const tick = v.optional(whole(0, Number.MAX_SAFE_INTEGER));

export const CALLS = {
  login: call(
    'POST',
    '/login',
    v.strictObject({ token: v.pipe(v.string(), v.maxLength(256)) }),
    sessionState,
  ),
  logout: call('POST', '/logout', nothing, nothing),
  /** The session that the cookie stands for, for a page that was loaded anew. */
  session: get('/session', sessionState),
  state: get('/state', hostState),
  room: get('/rooms/:room', roomState),

  createRoom: call(
    'POST',
    '/rooms',
    v.strictObject({
      name: roomName,
      width: side,
      height: side,
      checkpoint: v.pipe(v.string(), v.maxLength(128)),
      settings: v.optional(settingsChange),
    }),
    roomSummary,
  ),
  openRoom: call('POST', '/rooms/:room/open', nothing, roomSummary),
  closeRoom: call('POST', '/rooms/:room/close', nothing, roomSummary),
  /** A closed room alone; a last snapshot of it is put aside in the data folder. */
  removeRoom: call('DELETE', '/rooms/:room', v.strictObject({ confirm: v.string() }), nothing),

  changeSettings: call('PATCH', '/rooms/:room/settings', settingsChange, roomSettings),
  /** Removes all that lives, and plants anew, spread over the room. The present is kept as a snapshot before. */
  reseed: call(
    'POST',
    '/rooms/:room/reseed',
    v.strictObject({ organisms: whole(0, 64) }),
    v.object({ planted: whole(0, 64), kept: v.nullable(snapshotState) }),
  ),

  removeOrganism: call(
    'POST',
    '/rooms/:room/remove-organism',
    v.strictObject({ organism: id }),
    nothing,
  ),
  /** Removes every organism that holds a place of a rectangle, in cells. */
  clearArea: call(
    'POST',
    '/rooms/:room/clear-area',
    v.strictObject({
      x: whole(0, 1_023),
      y: whole(0, 1_023),
      width: whole(1, 1_024),
      height: whole(1, 1_024),
    }),
    v.object({ removed: whole(0, 0xffffffff) }),
  ),
  /** She may watch, but do nothing; neither her cursor nor her name is shown. */
  mute: call(
    'POST',
    '/rooms/:room/mute',
    v.strictObject({ participant: id, muted: v.boolean() }),
    nothing,
  ),
  ban: call(
    'POST',
    '/rooms/:room/ban',
    v.strictObject({
      participant: id,
      /** Her whole address, not her session alone. */
      address: v.boolean(),
      /** null: until it is lifted. */
      minutes: v.nullable(whole(1, 60 * 24 * 365)),
    }),
    banState,
  ),
  liftBan: call('DELETE', '/bans/:ban', nothing, nothing),
  /**
   * Takes back what was done in the last seconds, by one (0: the host) or by all visitors (null): the room becomes what it would be now, had that not been
   * done. What others did stays. The present is kept as a snapshot before.
   */
  undo: call(
    'POST',
    '/rooms/:room/undo',
    v.strictObject({ seconds: whole(1, 600), participant: v.nullable(whole(0, 0xffffffff)) }),
    v.object({
      /** Seeds, wounds and crosses that were taken back. */
      undone: whole(0, 0xffffffff),
      kept: v.nullable(snapshotState),
    }),
  ),

  snapshots: get('/rooms/:room/snapshots', v.array(snapshotState)),
  takeSnapshot: call(
    'POST',
    '/rooms/:room/snapshots',
    v.strictObject({ name: label }),
    snapshotState,
  ),
  /** Of a named one: it is forgotten as the others are, in time. */
  unnameSnapshot: call('DELETE', '/rooms/:room/snapshots/:tick', nothing, nothing),
  /** The room becomes what it was; the present is kept as a snapshot before. */
  restore: call(
    'POST',
    '/rooms/:room/snapshots/:tick/restore',
    nothing,
    v.object({ kept: snapshotState }),
  ),

  /** Pictures of a stretch of time, made beside the rooms; the last 24 hours by default, as far as they are kept. */
  timelapse: call(
    'POST',
    '/rooms/:room/timelapse',
    v.strictObject({
      kind: v.picklist(['gif', 'png']),
      /** So long until now, unless ticks are given. */
      hours: v.optional(whole(1, 24 * 7)),
      from: tick,
      to: tick,
      /** Seconds that the film takes, at 15 pictures a second. */
      seconds: v.optional(whole(1, 60)),
    }),
    jobState,
  ),
  stopJob: call('DELETE', '/jobs/:job', nothing, nothing),

  statistics: get('/rooms/:room/statistics', statistics),

  setSchedule: call('PUT', '/schedule', schedule, schedule),
} as const;

export type CallName = keyof typeof CALLS;
export type CallBody<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['body']>;
export type CallAnswer<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['answer']>;

/** What is fetched as a file or shown as a picture: GET, with the session's cookie. */
export const FILES = {
  /** PNG of what a snapshot shows, a pixel a place. */
  snapshotPicture: '/rooms/:room/snapshots/:tick/picture.png',
  /** PNG of what the room shows now, a pixel a place. */
  picture: '/rooms/:room/picture.png',
  /** Everything that happened between two ticks (`?from=&to=`; by default all that is kept), for `npm run replay`. */
  bottle: '/rooms/:room/bottle',
  /** What a job has made. */
  job: '/jobs/:job/file',
  /** `?by=hour` or `?by=day` (the default). */
  statistics: '/rooms/:room/statistics.csv',
  /** `?paper=A4|A3&language=<code of a language>&address=` one of `HostState.addresses`; the first by default. */
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
 * A path with its parts filled in, `API` before it.
 *
 * @param path of `CALLS` or `FILES`
 */
export function pathOf(
  path: string,
  parts: Readonly<Record<string, string | number>> = {},
): string {
  return API + path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
}
