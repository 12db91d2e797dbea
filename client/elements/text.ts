/** Texts about the room, in the page's language. */
import { msg, str } from '@lit/localize';
import { GARDENER_NAME, OSC_NAME } from '../../shared/names.ts';
import { namedParts } from '../../shared/parts.ts';
import { HOUSE, type OrganismView, type Part } from '../../shared/vocabulary.ts';
import { formats, language, localKind } from '../locale/locale.ts';
import { formFor } from '../locale/page-words.ts';
import type { ConnectionState, RoomModel } from '../room/room-model.ts';

/**
 * Formats a number by the rules of the page's language, with the digits used in the visitor's
 * region.
 */
export function number(n: number): string {
  return new Intl.NumberFormat(formats()).format(n);
}

/** Formats a duration in the page's language: '1 second', '5 days'. */
export function timeText(n: number, unit: 'second' | 'minute' | 'hour' | 'day'): string {
  const style = { style: 'unit', unit, unitDisplay: 'long' } as const;
  return new Intl.NumberFormat(formats(), style).format(n);
}

/**
 * Returns the text `finger` if the device's main pointer is a finger, otherwise the text `mouse`.
 */
export function byPointer<T extends string>(finger: T, mouse: T): T {
  return matchMedia('(pointer: coarse)').matches ? finger : mouse;
}

/**
 * Chooses between singular and plural by the rules of the page's language. If the language has more
 * than two forms, the translation of `other` contains all forms.
 */
export function plural(n: number, one: string, other: string): string {
  const isOne = new Intl.PluralRules(language()).select(n) === 'one';
  return formFor(language(), n, other) ?? (isOne ? one : other);
}

export const capitalized = (text: string): string =>
  text.charAt(0).toLocaleUpperCase(language()) + text.slice(1);

/**
 * Returns the display name of a gallery creature: the translation of `kind` or, if `kind` has no
 * translation, `kind` with spaces, such as 'hot pepper' for 'hot_pepper'.
 */
export function kindName(kind: string): string {
  if (kind === '') return msg('nameless');
  return localKind(kind) ?? kind.replaceAll(/[_-]+/g, ' ');
}

/**
 * Returns the display name of an organism. The name of a chimera lists its largest parts: 'panda ·
 * fox'.
 */
export function organismName(organism: Pick<OrganismView, 'kind' | 'origin' | 'parts'>): string {
  return [...new Set(namedParts(organism).map(partName))].join(' · ');
}

/**
 * Returns the name of one part of an organism: the name of the part's kind or, without a kind, a
 * text about the part's origin.
 */
function partName({ kind, origin }: Pick<OrganismView, 'kind' | 'origin'>): string {
  if (kind !== '') return kindName(kind);
  if (origin === 'cross') return msg('A child of two');
  return origin === 'prior' ? msg('A child of chance') : msg('One of a kind');
}

/** Formats a number of cells: "1 cell", "5 cells". */
export function cellsText(n: number): string {
  return plural(n, msg(str`${number(n)} cell`), msg(str`${number(n)} cells`));
}

/** Formats a number of people: "1 person here", "5 people here". */
export function peopleText(n: number): string {
  return plural(n, msg(str`${number(n)} person here`), msg(str`${number(n)} people here`));
}

/** Returns the text 'And 2 more things happened.', or '' if `rest` is 0. */
export function furtherEvents(rest: number): string {
  if (rest === 0) return '';
  return plural(
    rest,
    msg(str`And ${number(rest)} more thing happened.`),
    msg(str`And ${number(rest)} more things happened.`),
  );
}

/**
 * Describes the visitor's position in the queue of a full room.
 *
 * @param ahead number of visitors before them
 */
export function lineText(ahead: number): string {
  if (ahead === 0) return msg('The room is full. You are next.');
  return plural(
    ahead,
    msg(str`The room is full. ${number(ahead)} visitor is ahead of you.`),
    msg(str`The room is full. ${number(ahead)} visitors are ahead of you.`),
  );
}

/**
 * Describes a connection that is being established: 'connecting' or 'reconnecting'. Returns '–' for
 * all other states.
 */
export function waitingText(connection: ConnectionState): string {
  if (connection === 'connecting') return msg('connecting');
  return connection === 'reconnecting' ? msg('reconnecting') : '–';
}

/** Explains why this browser cannot show the room and suggests a remedy. */
export function unsupportedText(): string {
  return msg(
    'This browser cannot show the room: it has no WebGL2. Please try another browser or device.',
  );
}

/** Maximum number of former kinds that `formerText` lists. */
const MAX_FORMER = 4;

/** Formats the age of an organism in the largest unit that fits. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 5) return msg('just planted');
  return msg(str`${roughTime(whole)} old`);
}

/** Formats a duration in the largest unit that fits: '40 seconds', '2 hours'. */
function roughTime(seconds: number): string {
  if (seconds < 90) return timeText(seconds, 'second');
  return roughMinutes(Math.round(seconds / 60));
}

/** Formats a duration in minutes, hours or days: '4 minutes', '2 hours'. */
export function roughMinutes(minutes: number): string {
  if (minutes < 90) return timeText(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 36 ? timeText(hours, 'hour') : timeText(Math.round(hours / 24), 'day');
}

/** Describes an organism's current state, such as growing, awake, at rest or healing. */
export function stateText({ phase, hurt }: Pick<OrganismView, 'phase' | 'hurt'>): string {
  if (phase === 'growing') return msg('growing');
  if (phase === 'departing') return msg('leaving');
  if (phase === 'dead') return msg('dead');
  if (hurt) return phase === 'asleep' ? msg('resting, wounded') : msg('healing');
  return phase === 'asleep' ? msg('resting') : msg('awake');
}

/**
 * Says how many wounds an organism has healed, or that it was never wounded. Returns '' if none of
 * its wounds has healed yet.
 */
export function survivedText({ healed, wounds }: Pick<OrganismView, 'healed' | 'wounds'>): string {
  if (healed > 0) {
    return plural(healed, msg('one wound healed'), msg(str`${number(healed)} wounds healed`));
  }
  return wounds > 0 ? '' : msg('never wounded');
}

/**
 * Lists the most recent of an organism's former kinds, oldest first: 'horse, then rabbit'. Returns
 * '' if there are none.
 */
export function formerText({ was = [] }: Pick<OrganismView, 'was'>): string {
  const names = was.slice(-MAX_FORMER).map((kind) => organismName({ kind, origin: 'latent' }));
  return names.reduce((text, name) => (text ? msg(str`${text}, then ${name}`) : name), '');
}

/** The room's participants, and the participant (`you`) who reads the text. */
export type People = Pick<RoomModel, 'participants' | 'you'>;

/**
 * Returns the current name of an organism's planter, capitalized for the beginning of a sentence.
 * If the planter has left, returns the name stored with the organism; '' if there is no name.
 */
export function planterName(
  { planter }: Pick<OrganismView, 'planter'>,
  { participants }: Pick<RoomModel, 'participants'>,
): string {
  if (planter.id === HOUSE.id) return msg('The house');
  const { name } = participants.get(planter.id) ?? planter;
  if (name === OSC_NAME) return msg('The house');
  return name === GARDENER_NAME ? msg('The gardener') : name;
}

/**
 * Says who planted an organism: "planted by Ada", or "planted by you" for the reader of the text.
 */
export function planterText(organism: Pick<OrganismView, 'planter'>, model: People): string {
  if (organism.planter.id === model.you?.id) return msg('planted by you');
  const name = planterName(organism, model);
  if (name === msg('The gardener')) return msg('planted by the gardener');
  if (name === msg('The house')) return msg('planted by the house');
  return name === '' ? msg('planted by a visitor') : msg(str`planted by ${name}`);
}

/**
 * Lists the parts of a chimera, each followed by the name of the person who grafted it, if any:
 * 'panda · fox (Ada)'.
 */
export function partsText(parts: readonly Part[], model: People): string {
  const texts = parts.map((part) => {
    const { by } = part;
    const who = by && (by.id === model.you?.id ? msg('you') : planterName({ planter: by }, model));
    return who ? `${organismName(part)} (${who})` : organismName(part);
  });
  return texts.join(' · ');
}

/** Says how many entries a list leaves out: 'and 3 more'. */
export function furtherText(count: number): string {
  return plural(count, msg('and one more'), msg(str`and ${number(count)} more`));
}
