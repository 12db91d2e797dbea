/** What a card says of an organism's life. */
import { msg, str } from '@lit/localize';
import { DEFAULTS } from '../../shared/defaults.ts';
import { HOUSE, type OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import { kindName, number, plural } from './text.ts';

/** What an organism is called: after what it was grown from, or after how it came to be. */
export function organismName({ kind, origin }: OrganismView): string {
  if (kind !== '') return kindName(kind);
  if (origin === 'cross') return msg('A child of two');
  return origin === 'prior' ? msg('A child of chance') : msg('One of a kind');
}

/** For how long it has lived, in the largest unit that fits. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 5) return msg('just planted');
  if (whole < 90) return msg(str`${number(whole)} seconds old`);
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return msg(str`${number(minutes)} minutes old`);
  const hours = Math.round(minutes / 60);
  return hours < 36
    ? msg(str`${number(hours)} hours old`)
    : msg(str`${number(Math.round(hours / 24))} days old`);
}

/** What it does just now. */
export function stateText({ phase, stage, side, hurt }: OrganismView): string {
  if (phase === 'growing') return msg(str`growing, ${number(stage)} of ${number(side)} cells wide`);
  if (phase === 'dead') return msg('dead');
  if (hurt) return phase === 'asleep' ? msg('at rest, scarred') : msg('healing');
  return phase === 'asleep' ? msg('at rest') : msg('awake');
}

/** How many wounds it has come back from. */
export function survivedText({ healed, wounds }: OrganismView): string {
  if (healed > 0) {
    return plural(healed, msg('one survived'), msg(str`${number(healed)} survived`));
  }
  return wounds > 0 ? msg('none healed yet') : msg('never wounded');
}

/** Who is here, and who reads. */
export type People = Pick<RoomModel, 'participants' | 'you'>;

/** What she who planted it is called now, or was then, at the head of a sentence; '' for the nameless. */
export function planterName(
  { planter }: OrganismView,
  { participants }: Pick<RoomModel, 'participants'>,
): string {
  if (planter.id === HOUSE.id) return msg('The house');
  const { name } = participants.get(planter.id) ?? planter;
  if (name === DEFAULTS.osc.planter) return msg('The house');
  return name === DEFAULTS.attract.name ? msg('The gardener') : name;
}

/** Who planted it. */
export function planterText(organism: OrganismView, model: People): string {
  if (organism.planter.id === model.you?.id) return msg('planted by you');
  if (organism.planter.id === HOUSE.id) return msg('planted by the house');
  const name = planterName(organism, model);
  if (name === msg('The gardener')) return msg('planted by the gardener');
  if (name === msg('The house')) return msg('planted by the house');
  return name === '' ? msg('planted by a visitor') : msg(str`planted by ${name}`);
}

/** To her who planted it: it has gone, for the room was full and somebody else has planted. */
export function departedText({ kind }: OrganismView): string {
  return kind === ''
    ? msg('Something you planted has made room for a newcomer.')
    : msg(str`Your ${kindName(kind)} has made room for a newcomer.`);
}

/** How many come from it that are no children of its own. */
export function furtherText(count: number): string {
  return plural(count, msg('and one further on'), msg(str`and ${number(count)} further on`));
}
