/**
 * The texts of a wall, short enough for passers-by. The page itself has no language: it shows the
 * same text in several languages in turn. So each text is `say(msg('…'))`, where `msg` marks it for
 * translation and returns the English.
 */
import { msg } from '@lit/localize';
import {
  isTranslated,
  LANGUAGES,
  type LanguageCode,
  SOURCE_LANGUAGE,
} from '../../shared/languages.ts';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import { formFor } from '../locale/plural.ts';
import { LOADERS } from '../locale/words/wall/index.ts';

/** Translates an English text, in the form for its `{count}`, and fills in its `{names}`. */
export type Say = (text: string, values?: Readonly<Record<string, string | number>>) => string;

/** A language of the captions. */
export interface Caption {
  readonly language: LanguageCode;
  readonly direction: 'ltr' | 'rtl';
  readonly say: Say;
}

export const ENGLISH: Caption = voice(SOURCE_LANGUAGE, {});

/** Loads the captions of a language. Untranslated texts stay English. */
export async function voiceOf(language: LanguageCode): Promise<Caption> {
  if (!isTranslated(language)) return ENGLISH;
  return voice(language, (await LOADERS[language]()).default);
}

/** @param texts translations, keyed by the English text */
function voice(language: LanguageCode, texts: Readonly<Record<string, string>>): Caption {
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
    say: (text, values) => fill(form(texts[text] ?? text, values?.count), values),
  };
}

/**
 * Captions while visitors are active; shown one at a time.
 *
 * @param hasCode whether the wall shows a QR code
 */
export function captions(say: Say, hasCode: boolean): readonly string[] {
  return [
    ...(hasCode ? [say(msg('Scan. Plant a seed. Watch it grow.'))] : []),
    say(msg('Every creature here is made of cells that know only their neighbours.')),
    say(msg('Wound one, and watch it heal.')),
    say(msg('They press against each other for ground.')),
    say(msg('Cross two of them, and plant what comes of it.')),
  ];
}

/**
 * Captions while nobody is active.
 *
 * @param hasCode whether the wall shows a QR code
 */
export function invitations(say: Say, hasCode: boolean): readonly string[] {
  return [
    say(msg('Nobody is here yet. Be the first.')),
    ...(hasCode ? [say(msg('Point your phone at the code, and plant a seed.'))] : []),
    say(msg('It grows here while you watch.')),
  ];
}

/** Beside the QR code. */
export const scanMe = (say: Say): string => say(msg('Scan to plant a seed'));

/** Name of the planter under a growing organism. Built-in planters have a name in each language. */
export function signature(say: Say, name: string): string {
  if (name === PAGE_DEFAULTS.attract.name) return say(msg('The gardener'));
  return name === PAGE_DEFAULTS.osc.planter ? say(msg('The house')) : name;
}

/** Heading of the list of names. */
export function here({ say, language }: Caption, count: number): string {
  if (count === 0) return say(msg('Nobody here yet'));
  const isOne = new Intl.PluralRules(language).select(count) === 'one';
  return isOne ? say(msg('One is here')) : say(msg('{count} are here'), { count });
}

/** After the names that fit. */
export const others = (say: Say, count: number): string => say(msg('and {count} more'), { count });

/** While the server does not respond. */
export const moment = (say: Say): string => say(msg('One moment'));

/** While the day of the room ends. */
export const goodbye = (say: Say): string => say(msg('This day is over. Thank you, and goodbye.'));

/** Title of the family tree that grows at the end of a day. */
export const familyTree = (say: Say): string => say(msg('The family tree of this day'));

/** While a film shows what has happened. */
export const soFar = (say: Say): string => say(msg('What happened here'));

/** In place of the QR code, for the person who sets up the server. */
export const noCode = (say: Say): string =>
  say(msg('No code to scan: phones do not reach this room.'));

/** For the person who sets up the screen. */
export const cannotDraw = (say: Say): string =>
  say(msg('No picture here: this browser has no WebGL2.'));

/** Label for screen readers. */
export const picture = (say: Say): string => say(msg('A dish of living cells, seen from above.'));
