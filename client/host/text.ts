/** Texts of the host's page: times, amounts, names, and errors with advice. */
import { msg, str } from '@lit/localize';
import { type HostReason, HostRefusal, type JobReason } from '../../shared/host/reasons.ts';
import type { HostState, RoomSummary } from '../../shared/host/state.ts';
import { HOUSE, type OrganismView } from '../../shared/vocabulary.ts';
import {
  planterName as nameAtPlanting,
  number,
  organismName,
  type People,
  partsText,
  plural,
  roughMinutes,
  timeText,
} from '../elements/text.ts';
import { formats } from '../locale/locale.ts';

/**
 * Shifts a time so that the UTC methods of `Date` return the day and hour in the server's time
 * zone.
 *
 * @param at a time, in ms since 1970
 * @param zone the server's time zone, such as 'Europe/Copenhagen'
 * @returns the shifted time, in ms since 1970
 */
export function localTime(at: number, zone: string): number {
  const text = new Date(at).toLocaleString('sv-SE', { timeZone: zone });
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}

const TRY_AGAIN = msg('That did not work. Try again, or look in the server’s log.');
const OTHER_VERSION = msg('This page does not match the server’s version. Reload it.');

/** Texts that explain to the host why the server refused a call. */
export const REASON_TEXTS: Readonly<Record<HostReason, string>> = {
  'no-session': msg('Please sign in with the host token.'),
  'wrong-token': msg(
    'That is not the host token. Check that you copied the whole token, and try again.',
  ),
  'too-many-tries': msg('Too many wrong tokens. Please wait a moment.'),
  'wrong-origin': msg(
    'This page was opened from another address. Use the address that the terminal shows.',
  ),
  'wrong-key': msg('Your session has changed. Reload the page.'),
  // The server sends the next two reasons only to programs with access tokens, not to this page.
  'not-allowed': TRY_AGAIN,
  'too-many-calls': TRY_AGAIN,
  'no-such-token': msg('That token has already been revoked.'),
  'too-many-tokens': msg('You have reached the limit of tokens. Revoke one that is not used.'),
  'unknown-call': OTHER_VERSION,
  'bad-call': msg(
    'The server did not accept this input. Check what you typed, or reload the page.',
  ),
  'too-large': msg('That was too much data at once.'),
  'not-json': OTHER_VERSION,
  'no-such-room': msg('There is no room with that name. Choose another name.'),
  'room-exists': msg('There is already a room with that name. Choose another name.'),
  'room-open': msg('Close the room first.'),
  'room-closed': msg('The room is closed. Open it first.'),
  'no-such-server': msg('That server no longer answers.'),
  'nobody-takes-over': msg(
    'No other server can take over the rooms of this server. Start another server that runs rooms, and try again.',
  ),
  'not-confirmed': msg('Type the room’s name to confirm.'),
  'fixed-room': msg(
    'This room is part of the server’s configuration: you can close it, but not remove it.',
  ),
  'no-such-checkpoint': msg(
    'The checkpoint (model) from which this room’s organisms grow is no longer available. Reload the page.',
  ),
  'bad-checkpoint': msg(
    'This checkpoint (model) cannot be used. Its files are missing or damaged, or another checkpoint already has the same name.',
  ),
  'not-everywhere': msg(
    'At least one other server does not have this checkpoint (model). First copy the checkpoint to every server.',
  ),
  'other-checkpoint': msg(
    'That state does not fit the organisms that grow in this room now. Choose another state.',
  ),
  'too-many-rooms': msg(
    'You have reached this server’s limit of rooms. Remove one that is not used.',
  ),
  'no-such-organism': msg('That organism no longer exists.'),
  'no-such-participant': msg('That visitor has left.'),
  'no-such-drawing': msg('That drawing is no longer waiting for a decision.'),
  'off-grid': msg('That place is outside the room.'),
  'no-such-ban': msg('That ban has already ended.'),
  'no-such-wall': msg('That wall has already been removed.'),
  'wall-exists': msg('There is already a wall with that name. Choose another name.'),
  'too-many-walls': msg(
    'You have reached this room’s limit of walls. Remove one that is not used.',
  ),
  'nothing-to-undo': msg('There is nothing to undo in that time. Choose a longer time.'),
  'undo-too-far': msg(
    'The history does not reach that far back. Choose a shorter time, or restore a saved state.',
  ),
  'no-such-snapshot': msg('That state no longer exists. Choose another one.'),
  'too-many-snapshots': msg(
    'You have reached the limit of saved states. Remove one that you saved.',
  ),
  'not-aside': msg(
    'Those data are no longer set aside. They were put back or dismissed on another open page.',
  ),
  'not-kept': msg('This server does not store anything: it was started without a data folder.'),
  'no-such-time': msg('Nothing is stored from that time. Choose a shorter time.'),
  elsewhere: msg('The server that runs this room does not answer. Try again in a moment.'),
  'room-busy': msg('The room is busy with something else. Try again in a moment.'),
  'too-many-jobs': msg('Other films are being made. Wait until one film is finished.'),
  'no-such-job': msg('That film no longer exists. Make it again.'),
  'job-not-done': msg('That film is not finished yet.'),
  'no-such-logo': msg('That logo no longer exists.'),
  'not-a-picture': msg('That file is not a PNG, JPEG or WebP picture, or it is damaged.'),
  'no-alerts': msg('This server sends no alerts: it was started without --alerts.'),
  'not-delivered': msg(
    'The alert did not arrive. Check the service that receives alerts, and its address in --alerts.',
  ),
  failed: TRY_AGAIN,
};

/** Texts that explain why a film could not be made, with advice. */
export const JOB_REASON_TEXTS: Readonly<Record<JobReason, string>> = {
  'not-kept': msg('Part of this film’s period is not stored. Choose a shorter period.'),
  damaged: msg('Some stored data from this film’s period are damaged. Choose a shorter period.'),
  'other-checkpoint': msg(
    'In part of this film’s period, the room used another checkpoint (model). Choose a shorter period.',
  ),
  stalled: msg(
    'The film stopped making progress and was cancelled. Try again when the machine is less busy.',
  ),
  ended: msg(
    'The program that makes the film ended too early. Try a shorter time, or look in the server’s log.',
  ),
  failed: TRY_AGAIN,
};

/** Names of the days of the week, from Monday. */
export const DAY_NAMES = [
  msg('Monday'),
  msg('Tuesday'),
  msg('Wednesday'),
  msg('Thursday'),
  msg('Friday'),
  msg('Saturday'),
  msg('Sunday'),
] as const;

/**
 * Formats a duration, rounded up to seconds or, from one minute on, to minutes: '30 seconds', '2
 * minutes'.
 */
export function span(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1_000);
  return seconds < 60 ? timeText(seconds, 'second') : timeText(Math.ceil(seconds / 60), 'minute');
}

/** Formats a duration roughly, in a single unit: 'less than a minute', '4 minutes', '2 hours'. */
export function roughSpan(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 1 ? msg('less than a minute') : roughMinutes(minutes);
}

export const visitorsText = (n: number): string =>
  plural(n, msg(str`${number(n)} visitor`), msg(str`${number(n)} visitors`));

export const organismsText = (n: number): string =>
  plural(n, msg(str`${number(n)} organism`), msg(str`${number(n)} organisms`));

export const drawingsText = (n: number): string =>
  plural(n, msg(str`${number(n)} drawing is waiting`), msg(str`${number(n)} drawings are waiting`));

export const reportedText = (n: number): string =>
  plural(
    n,
    msg(str`${number(n)} organism is reported`),
    msg(str`${number(n)} organisms are reported`),
  );

export const actsText = (n: number): string =>
  plural(n, msg(str`${number(n)} action`), msg(str`${number(n)} actions`));

export const visitsText = (n: number): string =>
  plural(n, msg(str`${number(n)} visit`), msg(str`${number(n)} visits`));

export const woundsText = (n: number): string =>
  plural(n, msg(str`${number(n)} wound`), msg(str`${number(n)} wounds`));

export const seedsText = (n: number): string =>
  plural(n, msg(str`${number(n)} seed`), msg(str`${number(n)} seeds`));

/** Formats the number of visitors who wait for a seat: '1 is in line', '2 are in line'. */
export const inLineText = (n: number): string =>
  plural(n, msg(str`${number(n)} is in line`), msg(str`${number(n)} are in line`));

/** Formats a size in decimal units: '7.3 MB'. */
export function bytes(n: number): string {
  const unit = n < 1e6 ? 'kB' : n < 1e9 ? 'MB' : 'GB';
  const value = n / { kB: 1e3, MB: 1e6, GB: 1e9 }[unit];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/**
 * Formats a time of day in the server's time zone: '13:00'.
 *
 * @param at the time, in ms since 1970
 * @param zone the server's time zone, such as 'Europe/Copenhagen'
 */
export const clock = (at: number, zone: string): string =>
  new Date(localTime(at, zone)).toISOString().slice(11, 16);

/**
 * Names a day: 'today', 'Monday' for a day less than a week away, or '3 November'.
 *
 * @param at a time on the day, in ms since 1970
 * @param now the current time, in ms since 1970
 * @param zone the server's time zone, such as 'Europe/Copenhagen'
 */
export function dayName(at: number, now: number, zone: string): string {
  const dayOf = (time: number): number => Math.floor(localTime(time, zone) / 86_400_000);
  const ago = dayOf(now) - dayOf(at);
  if (ago === 0) return msg('today');
  if (ago === 1) return msg('yesterday');
  if (ago === -1) return msg('tomorrow');
  const date = new Date(localTime(at, zone));
  if (Math.abs(ago) < 7) return DAY_NAMES[(date.getUTCDay() + 6) % 7]!;
  return date.toLocaleDateString(formats(), { day: 'numeric', month: 'long', timeZone: 'UTC' });
}

/**
 * Formats a day and time in the server's time zone: 'yesterday, 23:30'. `at` and `now` are in ms
 * since 1970.
 */
export const moment = (at: number, now: number, zone: string): string =>
  `${dayName(at, now, zone)}, ${clock(at, zone)}`;

/** Formats a duration with an abbreviated unit: '30 s', '5 min'. */
export const shortSpan = (seconds: number): string =>
  seconds < 60 ? msg(str`${number(seconds)} s`) : msg(str`${number(seconds / 60)} min`);

/** Explains why a call failed, with advice. */
export function failure(error: unknown): string {
  if (!(error instanceof HostRefusal)) {
    return msg(
      'The server does not answer. Check that it is running and that this device is on the same network. This page keeps trying.',
    );
  }
  const { reason, retryAfter } = error;
  const isWaiting = ['too-many-tries', 'wrong-token'].includes(reason);
  if (!isWaiting || !retryAfter) return REASON_TEXTS[reason];
  const wait = span(retryAfter);
  return msg(str`Too many wrong tokens. Please wait ${wait}, then try again.`);
}

/** Says whether the server saves the room before an action that changes the whole room. */
export const stateBefore = (server: Pick<HostState, 'keeping'> | undefined): string =>
  server?.keeping === null
    ? msg('This cannot be undone: this server stores nothing.')
    : msg('The room is saved first, so you can restore it.');

export const farewellText = (server: Pick<HostState, 'keeping'> | undefined): string =>
  `${msg('Over one minute, all organisms dissolve one by one and the walls say goodbye. Then a new day begins.')} ${stateBefore(server)}`;

/** Says where the server keeps the last copy of a room that is being removed. */
export function lastCopy(server: Pick<HostState, 'keeping' | 'cluster'> | undefined): string {
  if (server?.keeping === null) return stateBefore(server);
  // In a cluster, it is unknown which server will remove the room.
  return server?.cluster
    ? msg(
        'If the server that removes the room has a data folder, a last copy of the room stays there.',
      )
    : msg('A last copy of the room stays in the server’s data folder.');
}

/** Returns the visitor's name, or their number if they have none. */
export const visitorName = ({ id, name }: { readonly id: number; readonly name: string }): string =>
  name || msg(str`visitor ${number(id)}`);

/** Formats a room's speed in steps per second, and says if the room is slower than configured. */
export function paceText(pace: RoomSummary['pace']): string {
  const [actual, wanted] = [Math.round(pace.actual), Math.round(pace.tickRate)];
  if (pace.slow) return msg(str`slow: ${number(actual)} of ${number(wanted)} steps per second`);
  const one = msg(str`${number(wanted)} step per second`);
  return plural(wanted, one, msg(str`${number(wanted)} steps per second`));
}

/**
 * An empty list of participants, for functions that compose texts. They cannot look up current
 * names in it, so they use the names stored with the organism.
 */
const NOBODY: People = { participants: new Map(), you: undefined };

/**
 * Returns the name of an organism. For a chimera, lists the names of all parts and of the people
 * who grafted them.
 */
export const partNames = (organism: Pick<OrganismView, 'kind' | 'origin' | 'parts'>): string =>
  organism.parts ? partsText(organism.parts, NOBODY) : organismName(organism);

/**
 * Returns the name of an organism's planter; "the system" for organisms planted by the host or by
 * the server itself.
 */
export function planterName(planter: OrganismView['planter']): string {
  if (planter.id === HOUSE.id) return msg('the system');
  // `nameAtPlanting` also translates the names of the gardener (the automatic participant) and of
  // OSC, the protocol by which other programs can plant seeds.
  return nameAtPlanting({ planter }, NOBODY) || msg('a visitor');
}
