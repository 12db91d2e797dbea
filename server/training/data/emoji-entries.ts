/** What emoji are called in galleries, and what they are. */
import type { Entry } from './dataset.ts';
import type { EmojiRecord } from './emoji.ts';
import { titleCase } from './names.ts';

/** Longer Unicode names ("Smiling Face With …") give way to the short name. */
const LONGEST = 24;

export function emojiName({ name, short_name }: Pick<EmojiRecord, 'name' | 'short_name'>): string {
  return titleCase(name.length <= LONGEST ? name : short_name);
}

/** The first that fits; what fits none is a thing. */
const KINDS: readonly [RegExp, Entry['kind']][] = [
  // Single ones that are not what their group is.
  [
    / (feather|spider_web|feet|wing|empty_nest|nest_with_eggs|hankey|skull_and_crossbones)$/,
    'thing',
  ],
  [/^face-costume (ghost|alien|space_invader)$/, 'animal'],
  [/^person-fantasy mer/, 'animal'],
  [/^(animal-|cat-face|monkey-face)/, 'animal'],
  [/^plant-/, 'plant'],
  [/^(food-|drink)/, 'food'],
  [/^(face-|person|family)/, 'face'],
];

export function emojiKind({
  subcategory,
  short_name,
}: Pick<EmojiRecord, 'subcategory' | 'short_name'>): Entry['kind'] {
  const key = `${subcategory} ${short_name}`;
  return KINDS.find(([pattern]) => pattern.test(key))?.[1] ?? 'thing';
}
