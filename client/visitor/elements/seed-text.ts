/** What seeds, their kinds and their origins are called. */
import { msg, str } from '@lit/localize';
import type { OrganismView, SeedView } from '../../../shared/vocabulary.ts';
import { organismName } from '../../elements/organism-text.ts';
import { kindName } from '../../elements/text.ts';

/** Kinds of a gallery, in the order that they are offered in. */
export const KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

export function kindsTitle(kind: string): string {
  switch (kind) {
    case 'animal':
      return msg('Animals');
    case 'plant':
      return msg('Plants');
    case 'food':
      return msg('Food');
    case 'face':
      return msg('Faces');
    case 'thing':
      return msg('Things');
    default:
      return msg('All');
  }
}

/** What a seed in a hand is called. */
export function seedTitle(
  { origin, parents }: SeedView,
  organisms: ReadonlyMap<number, OrganismView>,
): string {
  if (origin === 'drawing') return msg('Your drawing');
  const [a, b] = parents.map((id) => organisms.get(id));
  if (a && b) return msg(str`Child of ${organismName(a)} and ${organismName(b)}`);
  return msg('A child of two');
}

/** Without accents, in lower case. */
const plain = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();

/** Whether a gallery entry is meant by what somebody types: each word begins one of its name, here or in English. */
export function isMeant(name: string, typed: string): boolean {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const own = plain(`${kindName(name)} ${name.replaceAll(/[_-]+/g, ' ')}`);
  return words.every(
    (word) =>
      own.startsWith(word) || own.includes(` ${word}`) || (word.length > 2 && own.includes(word)),
  );
}

/** What lies around a place of the map. */
export function betweenText(names: readonly string[]): string {
  const [first, second, third] = names.map(kindName);
  if (!second) return first ?? '';
  if (!third) return msg(str`Between ${first} and ${second}`);
  return msg(str`Between ${first}, ${second} and ${third}`);
}
