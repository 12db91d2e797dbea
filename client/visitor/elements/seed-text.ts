/** Names of seeds and of gallery categories, and the gallery's text search. */
import { msg, str } from '@lit/localize';
import type { OrganismView, SeedView } from '../../../shared/vocabulary.ts';
import { kindName, organismName } from '../../elements/text.ts';
import type { RoomSession } from '../room-session.ts';

/** The titles of the gallery's categories, in display order. */
export const KIND_TITLES: Readonly<Record<string, () => string>> = {
  animal: () => msg('Animals'),
  plant: () => msg('Plants'),
  food: () => msg('Food'),
  face: () => msg('Faces'),
  thing: () => msg('Things'),
};

/** The name of one of the visitor's own seeds. */
export function seedTitle(
  { origin, parents }: SeedView,
  organisms: ReadonlyMap<number, OrganismView>,
): string {
  if (origin === 'drawing') return msg('Your drawing');
  const [a, b] = parents.map((id) => organisms.get(id));
  if (a && b) return msg(str`Child of ${organismName(a)} and ${organismName(b)}`);
  return msg('A child of two');
}

/** The name of the seed that the visitor holds. */
export function heldTitle({ state, model }: Pick<RoomSession, 'state' | 'model'>): string {
  const { held, hand } = state.state;
  switch (held.from) {
    case 'gallery':
      return kindName(model.checkpoint?.gallery[held.index]?.name ?? '');
    case 'hand': {
      const seed = hand.find(({ id }) => id === held.seed);
      return seed ? seedTitle(seed, model.organisms) : '';
    }
    case 'token':
      return msg('A keepsake');
    case 'map':
      return msg('A creature from the map');
    default:
      return msg('A child of chance');
  }
}

/** Lower case without accents. */
const plain = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();

/**
 * Whether a gallery entry matches a search text: every word typed begins a word of its name, in the
 * page's language or in English. Words of three or more letters match anywhere in the name.
 */
export function isMeant(name: string, typed: string): boolean {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const names = plain(`${kindName(name)} ${name.replaceAll(/[_-]+/g, ' ')}`);
  return words.every(
    (word) =>
      names.startsWith(word) ||
      names.includes(` ${word}`) ||
      (word.length > 2 && names.includes(word)),
  );
}

/** Names the creatures around a point of the map. @param names up to three, nearest first */
export function betweenText(names: readonly string[]): string {
  const [first, second, third] = names.map(kindName);
  if (!second) return first ?? '';
  if (!third) return msg(str`Between ${first} and ${second}`);
  return msg(str`Between ${first}, ${second} and ${third}`);
}
