/** Tells a planter what has happened to their organisms. */
import { msg, str } from '@lit/localize';
import type { Event } from '../../shared/protocol/events.ts';
import { planterName } from '../elements/organism-text.ts';
import { furtherEvents, kindName, number, plural } from '../elements/text.ts';
import type { RoomModel } from '../net/room-model.ts';

/** What has happened to one organism in one way. */
export type Change = Event<'affected'>['organisms'][number];

type Room = Pick<RoomModel, 'participants' | 'organisms'>;

/** Most changes in one message; longer ones are not read. */
const MAX_CHANGES = 2;

const creatureName = (kind = ''): string => (kind === '' ? msg('creature') : kindName(kind));

/** "Bo and 2 others cut your horse." "Your horse is leaving." */
export function changeText({ id, kind, how, into, by, others }: Change, room: Room): string {
  const name = creatureName(kind);
  if (how.startsWith('depart')) {
    return room.organisms.has(id)
      ? msg(str`Your ${name} is leaving.`)
      : msg(str`Your ${name} has left.`);
  }
  // A bar would separate the forms of a plural.
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
  if (how === 'crossed') return msg(str`${who} planted a child of your ${name}.`);
  return msg(str`${who} took ground from your ${name}.`);
}

/** How a wounded organism is now. */
function outcome({ id, how }: Change, { organisms }: Room): string {
  const organism = organisms.get(id);
  if (how !== 'wounded') return '';
  if (!organism) return msg('It is gone.');
  if (!organism.hurt) return msg('It has healed.');
  return organism.phase === 'asleep' ? '' : msg('It is healing.');
}

/** All changes of a message in a few sentences. */
export function affectedText(changes: readonly Change[], room: Room): string {
  const told = changes.slice(0, MAX_CHANGES);
  const sentences = told.flatMap((change) => [changeText(change, room), outcome(change, room)]);
  return [...sentences, furtherEvents(changes.length - told.length)].filter(Boolean).join(' ');
}
