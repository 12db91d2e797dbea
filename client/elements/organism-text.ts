/** Texts about an organism: its name, age, state, wounds and planter. */
import { msg, str } from '@lit/localize';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import { HOUSE, type OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import { number, organismName, plural, timeText } from './text.ts';

/** Most former kinds that are named. */
const MAX_FORMER = 4;

/** The age of an organism, in the largest unit that fits. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 5) return msg('just planted');
  return msg(str`${roughTime(whole)} old`);
}

function roughTime(seconds: number): string {
  if (seconds < 90) return timeText(seconds, 'second');
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return timeText(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 36 ? timeText(hours, 'hour') : timeText(Math.round(hours / 24), 'day');
}

/** The current state of an organism: growing, awake, at rest, healing or dead. */
export function stateText({ phase, hurt }: Pick<OrganismView, 'phase' | 'hurt'>): string {
  if (phase === 'growing') return msg('growing');
  if (phase === 'departing') return msg('leaving');
  if (phase === 'dead') return msg('dead');
  if (hurt) return phase === 'asleep' ? msg('at rest, wounded') : msg('healing');
  return phase === 'asleep' ? msg('at rest') : msg('awake');
}

/** How many wounds the organism has healed; '' if it has none but open ones. */
export function survivedText({ healed, wounds }: Pick<OrganismView, 'healed' | 'wounds'>): string {
  if (healed > 0) {
    return plural(healed, msg('one wound healed'), msg(str`${number(healed)} wounds healed`));
  }
  return wounds > 0 ? '' : msg('never wounded');
}

/** What an organism has been lately, oldest first: 'horse, then rabbit'; '' for nothing else. */
export function formerText({ was = [] }: Pick<OrganismView, 'was'>): string {
  const names = was.slice(-MAX_FORMER).map((kind) => organismName({ kind, origin: 'latent' }));
  return names.reduce((text, name) => (text ? msg(str`${text}, then ${name}`) : name), '');
}

/** The participants of the room and the reader among them. */
export type People = Pick<RoomModel, 'participants' | 'you'>;

/**
 * The planter's current name, or their name at planting when they have left, to begin a sentence.
 *
 * @returns '' for a planter without a name
 */
export function planterName(
  { planter }: Pick<OrganismView, 'planter'>,
  { participants }: Pick<RoomModel, 'participants'>,
): string {
  if (planter.id === HOUSE.id) return msg('The house');
  const { name } = participants.get(planter.id) ?? planter;
  if (name === PAGE_DEFAULTS.osc.planter) return msg('The house');
  return name === PAGE_DEFAULTS.attract.name ? msg('The gardener') : name;
}

/** "Planted by …", as the reader sees it. */
export function planterText(organism: Pick<OrganismView, 'planter'>, model: People): string {
  if (organism.planter.id === model.you?.id) return msg('planted by you');
  const name = planterName(organism, model);
  if (name === msg('The gardener')) return msg('planted by the gardener');
  if (name === msg('The house')) return msg('planted by the house');
  return name === '' ? msg('planted by a visitor') : msg(str`planted by ${name}`);
}

/** The number of relatives beyond those listed. */
export function furtherText(count: number): string {
  return plural(count, msg('and one further on'), msg(str`and ${number(count)} further on`));
}
