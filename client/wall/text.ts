/**
 * The texts of a wall, short enough for passers-by. A wall shows each text in several languages in
 * turn. In `say(msg('…'))`, `msg` marks an English text for translation and returns it unchanged;
 * `say` translates it.
 */

import { msg } from '@lit/localize';
import type { ColourRange } from '../../shared/hues.ts';
import {
  isTranslated,
  LANGUAGES,
  type LanguageCode,
  SOURCE_LANGUAGE,
} from '../../shared/languages.ts';
import { GARDENER_NAME, OSC_NAME } from '../../shared/names.ts';
import { namedParts } from '../../shared/parts.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { HOUSE, type OrganismView } from '../../shared/vocabulary.ts';
import english from '../locale/kinds/en.json' with { type: 'json' };
import { formFor } from '../locale/page-words.ts';
import { LOADERS as KIND_LOADERS } from '../locale/words/kinds/index.ts';
import { LOADERS } from '../locale/words/wall/index.ts';

/**
 * Translates an English text. The `values` replace placeholders of the same name, such as `{name}`.
 * A value named `count` also selects the plural form.
 */
export type Say = (text: string, values?: Readonly<Record<string, string | number>>) => string;

/** One of a wall's languages, with the wall's texts and the creatures' names in this language. */
export interface Caption {
  readonly language: LanguageCode;
  readonly direction: 'ltr' | 'rtl';
  readonly say: Say;
  /**
   * Translated names of the gallery's organisms, by English name. Names without a translation are
   * missing.
   */
  readonly kinds: Readonly<Record<string, string>>;
}

export const ENGLISH: Caption = voice(SOURCE_LANGUAGE, {}, english);

/** Loads the texts of a language. Texts without a translation remain in English. */
export async function voiceOf(language: LanguageCode): Promise<Caption> {
  if (!isTranslated(language)) return ENGLISH;
  const [texts, kinds] = await Promise.all([LOADERS[language](), KIND_LOADERS[language]()]);
  return voice(language, texts.default, kinds.default);
}

/** @param texts translations of the wall's texts, by English text */
function voice(
  language: LanguageCode,
  texts: Readonly<Record<string, string>>,
  kinds: Caption['kinds'],
): Caption {
  const numbers = new Intl.NumberFormat(language);
  const shown = (value: string | number): string =>
    typeof value === 'number' ? numbers.format(value) : value;
  const fill = (text: string, values: Parameters<Say>[1] = {}): string =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name) => shown(values[name] ?? whole));
  const form = (text: string, count: unknown): string =>
    (typeof count === 'number' && formFor(language, count, text)) || text;
  return {
    language,
    direction: LANGUAGES[language].direction,
    kinds,
    say: (text, values) => fill(form(texts[text] ?? text, values?.count), values),
  };
}

export const TEXTS = {
  first: msg('Nobody is here yet. Be the first.'),
  scan: msg('Scan. Plant a seed. Watch it grow.'),
  point: msg('Point your phone at the code, and plant a seed.'),
  grows: msg('Your seed grows here while you watch.'),
  tended: msg('Until you come, the gardener looks after this room.'),
  cells: msg('Every creature here is made of cells that know only their neighbours.'),
  wound: msg('Wound a creature, and watch it heal.'),
  press: msg('Creatures push against each other for ground.'),
  cross: msg('Cross two creatures, and plant their child.'),
  scanCode: msg('Scan to plant a seed'),
  away: msg('One moment'),
  farewell: msg('This day is over. Thank you, and goodbye.'),
  tree: msg('Today’s family tree'),
  film: msg('What happened here'),
  noCode: msg('No code to scan: phones cannot reach this room.'),
  noWebgl: msg('No picture here: this browser has no WebGL2.'),
  picture: msg('A dish of living cells, seen from above.'),
} as const;

/**
 * Returns a caption that says how many organisms live in the room. If `isAlone` (no visitor is in
 * the room), the caption also invites passers-by to join.
 */
export function livingText({ say, language }: Caption, count: number, isAlone: boolean): string {
  const isOne = new Intl.PluralRules(language).select(count) === 'one';
  if (isAlone) {
    if (isOne) return say(msg('Only one creature is here now. Join it.'));
    return say(msg('Only {count} creatures are here now. Join them.'), { count });
  }
  return isOne
    ? say(msg('One creature lives here.'))
    : say(msg('{count} creatures live here.'), { count });
}

/**
 * Captions for the gardener's seasons. The keys are the gallery categories that the gardener plants
 * most.
 */
const SEASONS: Readonly<Record<string, string>> = {
  animal: msg('A season of animals'),
  plant: msg('A season of plants'),
  food: msg('A season of food'),
  face: msg('A season of faces'),
  thing: msg('A season of things'),
};

const COLOURS: Readonly<Record<ColourRange, string>> = {
  red: msg('in red'),
  orange: msg('in orange and brown'),
  yellow: msg('in yellow'),
  green: msg('in green'),
  blue: msg('in blue'),
  grey: msg('in white and grey'),
};

/** Returns whether `SEASONS` has a caption for a gallery category. */
export const hasSeason = (kind: string): boolean => Object.hasOwn(SEASONS, kind);

export function seasonText(
  { say }: Caption,
  { kind, colour }: { readonly kind: string; readonly colour?: ColourRange | undefined },
): string {
  const season = say(SEASONS[kind]);
  return colour ? say(msg('{season}, {colour}'), { season, colour: say(COLOURS[colour]) }) : season;
}

/** Kinds of events that captions report. */
export const NEWS = ['born', 'transformed', 'grafted', 'wounded', 'healed', 'departing'] as const;
export type NewsKind = (typeof NEWS)[number];

/** A recent event in the life of an organism. */
export interface News {
  readonly what: NewsKind;
  readonly organism: OrganismView;
  /** For a graft, the participant who grafted. For all other events, the organism's planter. */
  readonly by: OrganismView['planter'];
}

/**
 * Captions that say who has planted or grafted. `unnamed` names nobody: it is used if the host has
 * turned names off, or if a program has planted or grafted.
 */
const SIGNED = {
  born: {
    unnamed: msg('Just planted: {creature}'),
    gardener: msg('Just planted by the gardener: {creature}'),
    visitor: msg('Just planted by a visitor: {creature}'),
    named: msg('Just planted by {name}: {creature}'),
  },
  grafted: {
    unnamed: msg('Just grafted: {creature}'),
    gardener: msg('Just grafted by the gardener: {creature}'),
    visitor: msg('Just grafted by a visitor: {creature}'),
    named: msg('Just grafted by {name}: {creature}'),
  },
} as const;

/**
 * Returns a caption about a recent event in the life of an organism.
 *
 * @param names whether the caption may name the person who has planted or grafted
 */
export function newsText(voice: Caption, { what, organism, by }: News, names: boolean): string {
  const { say } = voice;
  const creature = creatureName(voice, organism);
  if (what === 'healed') return say(msg('Healed: {creature}'), { creature });
  if (what === 'wounded') return say(msg('Just wounded, and healing: {creature}'), { creature });
  if (what === 'transformed')
    return say(msg('Just turned into another creature: {creature}'), { creature });
  if (what === 'departing') {
    return say(msg('Leaving to make room for others: {creature}'), { creature });
  }
  const texts = SIGNED[what];
  const { id, name } = by;
  if (!names || id === HOUSE.id || name === OSC_NAME) return say(texts.unnamed, { creature });
  if (name === GARDENER_NAME) return say(texts.gardener, { creature });
  if (name === '') return say(texts.visitor, { creature });
  return say(texts.named, { name: isolated(name), creature });
}

/** Returns a caption about a newly planted child of two gallery creatures. */
export function crossedText(voice: Caption, parents: readonly OrganismView[]): string {
  const [a, b] = parents.map((one) => creatureName(voice, one));
  return voice.say(msg('Crossed: {a} and {b}. Their child grows here.'), { a, b });
}

function creatureName({ say, kinds }: Caption, organism: OrganismView): string {
  const names = namedParts(organism).map(({ kind, origin }) => {
    if (kind !== '') return kinds[kind] || kind.replaceAll(/[_-]+/g, ' ');
    if (origin === 'cross') return say(msg('A child of two'));
    return origin === 'prior' ? say(msg('A child of chance')) : say(msg('One of a kind'));
  });
  return [...new Set(names)].join(' · ');
}

/**
 * Encloses a name in Unicode's isolate characters, because its direction of writing may differ from
 * the direction of the text around it.
 */
const isolated = (name: string): string => `\u2068${name}\u2069`;

/**
 * Returns the planter's name to show beside a growing organism. Translates names of planters that
 * are not visitors, such as the gardener.
 */
export function signature(say: Say, name: string): string {
  if (name === GARDENER_NAME) return say(msg('The gardener'));
  return name === OSC_NAME ? say(msg('The house')) : name;
}

/** Returns the heading of the list of participants. */
export function here({ say, language }: Caption, count: number): string {
  if (count === 0) return say(msg('Nobody here yet'));
  const isOne = new Intl.PluralRules(language).select(count) === 'one';
  return isOne ? say(msg('One is here')) : say(msg('{count} are here'), { count });
}

/**
 * Returns the last line of the list of participants.
 *
 * @param count number of participants who are not listed
 */
export const others = (say: Say, count: number): string => say(msg('and {count} more'), { count });

/**
 * Explains to the person who sets up a wall why the server refuses the wall.
 *
 * @returns '' if the person need not do anything, because the refusal is temporary
 */
export function refusedText(say: Say, reason: Reason | undefined): string {
  if (reason === 'no-such-room') return say(msg('There is no room with that name.'));
  return reason === 'too-many-walls'
    ? say(
        msg(
          'Too many walls show this room. Add a wall on the host’s page, and open its address here.',
        ),
      )
    : '';
}
