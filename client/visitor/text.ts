/** Texts for visitors: changes to their organisms, refusals and notices. */
import { msg, str } from '@lit/localize';
import type { Event } from '../../shared/protocol/events.ts';
import type { Notice, Reason } from '../../shared/protocol/reasons.ts';
import {
  byPointer,
  furtherEvents,
  kindName,
  number,
  planterName,
  plural,
} from '../elements/text.ts';
import type { RoomModel } from '../room/room-model.ts';

/** A change that others have made to one of the visitor's organisms. */
export type Change = Event<'affected'>['organisms'][number];

type Room = Pick<RoomModel, 'participants' | 'organisms'>;

/** Returns a sentence that explains what the room is. */
export const aboutText = (): string => msg('A shared garden of creatures that grow cell by cell');

/** Maximum number of changes described in one message. */
const MAX_CHANGES = 2;

const creatureName = (kind = ''): string => (kind === '' ? msg('creature') : kindName(kind));

/**
 * Describes a change to one of the visitor's organisms: "Bo and 2 others cut your horse.", "Your
 * horse is leaving."
 */
export function changeText({ id, kind, how, into, by, others }: Change, room: Room): string {
  const name = creatureName(kind);
  if (how.startsWith('depart')) {
    return room.organisms.has(id)
      ? msg(str`Your ${name} is leaving.`)
      : msg(str`Your ${name} has left.`);
  }
  // Replace vertical bars in the person's name, because `plural` treats a bar as a separator.
  const person = (planterName({ planter: by }, room) || msg('Somebody')).replaceAll('|', '¦');
  const who =
    others === 0
      ? person
      : plural(
          others,
          msg(str`${person} and one other`),
          msg(str`${person} and ${number(others)} others`),
        );
  if (how === 'wounded') return msg(str`${who} cut your ${name}.`);
  if (how === 'transformed') {
    return msg(str`${who} turned your ${name} into this: ${creatureName(into)}.`);
  }
  if (how === 'grafted') {
    return msg(str`${who} grafted this onto your ${name}: ${creatureName(into)}.`);
  }
  if (how === 'crossed') return msg(str`${who} planted a child of your ${name}.`);
  return msg(str`${who} took ground from your ${name}.`);
}

/**
 * If a change was a wound, describes the present condition of the organism. Returns '' for other
 * changes.
 */
function outcome({ id, how }: Change, { organisms }: Room): string {
  const organism = organisms.get(id);
  if (how !== 'wounded') return '';
  if (!organism) return msg('It is gone.');
  if (!organism.hurt) return msg('It has healed.');
  return organism.phase === 'asleep' ? '' : msg('It is healing.');
}

/** Describes changes to the visitor's organisms in a few sentences. */
export function affectedText(changes: readonly Change[], room: Room): string {
  const told = changes.slice(0, MAX_CHANGES);
  const sentences = told.flatMap((change) => [changeText(change, room), outcome(change, room)]);
  return [...sentences, furtherEvents(changes.length - told.length)].filter(Boolean).join(' ');
}

const REASON_WORDS: Readonly<Partial<Record<Reason, () => string>>> = {
  'protocol-version': () => msg('This page is out of date. Please reload it.'),
  'no-such-room': () => msg('There is no room with that name.'),
  'room-full': () => msg('The room is full. Please wait a moment.'),
  'too-many-spectators': () => msg('Too many people are watching right now. Please wait a moment.'),
  'gave-way': () => msg('Your place went to someone who was waiting. Your creatures stay.'),
  replaced: () => msg('This visit continues in another window.'),
  'off-grid': () => msg('Too close to the edge: the creature would not fit.'),
  occupied: () => msg('Another creature lives there.'),
  'garden-full': () => msg('This room is full of creatures right now. Try again soon.'),
  'no-such-seed': () => msg('That seed is gone. Choose another one.'),
  'bad-token': () => msg('This keepsake is from another Vivarium, or its link is damaged.'),
  'bad-name': () => msg('That name cannot be shown here.'),
  'reserved-name': () =>
    msg('That name is reserved for the gardener or the host. Choose another name.'),
  'bad-drawing': () => msg('That drawing cannot grow here.'),
  'no-drawings': () => msg('Drawing is switched off in this room.'),
  'seed-hidden': () => msg('This creature is not allowed in this room.'),
  'no-tokens': () => msg('Keepsakes cannot be planted in this room.'),
  'drawing-declined': () =>
    msg('The host would rather not have this drawing here. Try another one.'),
  'drawing-expired': () => msg('The host has not looked at your drawing. You can send it again.'),
  'drawing-unseen': () => reasonText('drawing-expired'),
  'drawings-waiting': () =>
    msg('The host has not seen your last drawings yet. Please wait a little.'),
  'too-many-drawings': () => msg('Many drawings are waiting for the host. Please try again later.'),
  'no-such-organism': () => msg('That creature is gone.'),
  'no-such-participant': () => msg('That visitor has left.'),
  'follows-you': () => msg('That visitor’s view already follows yours.'),
  protected: () => msg('That creature was just changed. Leave it alone for a moment.'),
  'not-grown': () => msg('That creature is still growing. Wait until it has grown up.'),
  'no-graft': () => msg('There is no graft left to remove here.'),
  'not-yours': () => msg('Somebody else planted that creature.'),
  'stroke-too-long': () => msg('That cut is too long. Try a shorter one.'),
  'no-energy': () => msg('You are out of energy. Wait a moment until it refills.'),
  'too-fast': () => msg('You are doing too much at once. Slow down a little.'),
  'room-busy': () => msg('The room is busy right now. Please try again.'),
  'too-many-joins': () => msg('Many people are joining right now. Please wait a moment.'),
  abuse: () => msg('You did far too much at once. The connection was closed.'),
  'not-here': () => msg('That is not allowed in this room right now.'),
  'room-closed': () => msg('This room is closed right now. It will open again by itself.'),
  'no-spectators': () =>
    msg(
      'Watching through this link is switched off right now. The picture will come back by itself.',
    ),
  paused: () => msg('The host has paused the room for a moment.'),
  muted: () => msg('You can only watch right now.'),
  'sent-away': () => msg('The host has ended your visit.'),
  'cooling-down': () => msg('Plant one seed at a time. The next seed is ready in a moment.'),
  elsewhere: () => msg('Your action did not get through. Please try again.'),
  'shutting-down': () => msg('The server is shutting down. Please wait a moment.'),
};

const NOTICE_WORDS: Readonly<Record<Notice, () => string>> = {
  'name-hidden': () => msg('That name cannot be shown here. You are here without a name.'),
  'some-protected': () => reasonText('protected'),
  'name-reserved': () =>
    msg('That name is reserved for the gardener or the host. You are here without a name.'),
};

/** Returns the notice that the page cannot reach the room. */
export function offlineText(): string {
  return msg('The room cannot be reached right now. Please wait a moment.');
}

/** Returns the notice that the host has approved the visitor's drawing. */
export function approvedText(): string {
  return byPointer(
    msg('Your drawing was approved. Tap where it should grow.'),
    msg('Your drawing was approved. Click where it should grow.'),
  );
}

/**
 * Explains why an action was refused. Reasons that visitors never encounter share one general text.
 */
export function reasonText(reason: Reason): string {
  return (REASON_WORDS[reason] ?? REASON_WORDS['not-here']!)();
}

/** Returns the notice for the end of the room's day. */
export const goodbyeText = (): string => msg('This day is over. Thank you, and goodbye.');

/**
 * A button for a visitor whom the server does not let into the room. Opens the URL `to`; without
 * `to`, reloads the page.
 */
export interface WayBack {
  readonly label: string;
  readonly to?: string;
}

/**
 * Returns the button to show to a visitor whom the server has refused; undefined if no button would
 * help.
 */
export function wayBack(reason: Reason): WayBack | undefined {
  if (reason === 'no-such-room') return { label: msg('Go to the main room'), to: '/' };
  const mayNotHelp = ['sent-away', 'room-closed', 'no-spectators'].includes(reason);
  return mayNotHelp ? undefined : { label: msg('Reload') };
}

export function noticeText(notice: Notice): string {
  return NOTICE_WORDS[notice]();
}
