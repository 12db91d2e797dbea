/** The texts of the pages are complete in every language. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LitLocalizer } from '@lit/localize-tools/lib/index.js';
import { ageText, kindName, number, plural } from '../../../client/elements/text.ts';
import { REASON_TEXTS } from '../../../client/host/text.ts';
import { loadDictionary } from '../../../client/locale/locale.ts';
import { formFor } from '../../../client/locale/page-words.ts';
import { formsOf, galleryNames, textOf, Words } from '../../../client/locale/tools/build-words.ts';
import { LOADERS } from '../../../client/locale/words/visitor/index.ts';
import { reasonText } from '../../../client/visitor/text.ts';
import { voiceOf } from '../../../client/wall/text.ts';
import { TRANSLATED_LANGUAGES } from '../../../shared/languages.ts';
import { REASONS, type Reason } from '../../../shared/protocol/reasons.ts';
import { suiteFolder } from '../../support/closing.ts';
import { templates, untranslated } from '../../support/html-words.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Where the generated files are written once more. */
const fresh = suiteFolder();
// It reads the same files for each part: once is enough.
const { readTranslationsSync } = LitLocalizer.prototype;
let read: ReturnType<typeof readTranslationsSync> | undefined;
LitLocalizer.prototype.readTranslationsSync = function () {
  read ??= readTranslationsSync.call(this);
  return read;
};
const words = new Words(fresh);
const { messages, errors } = words.source();

/**
 * Without a text in client/visitor/text.ts: only a wall, a host or a program meets them, pages just try again, or
 * the connection is refused before anything can be told.
 */
const NOT_FOR_VISITORS: readonly Reason[] = [
  'too-many-walls',
  'no-such-table',
  'table-taken',
  'table-blocked',
  'only-watches',
  'already-joined',
  'not-joined',
  'join-timeout',
  'unknown-message',
  'bad-message',
  'bad-point',
  'bad-latent',
  'no-latents',
  'too-many-connections',
  'wrong-origin',
  'banned',
];

const tokens = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test('all messages can be extracted', () => {
  expect(errors).toEqual([]);
  expect(messages.length).toBeGreaterThan(600);
});

describe.each(TRANSLATED_LANGUAGES)('%s', (code) => {
  const translated = words.translations(code);

  test('translates every text', () => {
    const missing = messages.filter(({ name }) => !translated.has(name));
    expect(missing.map(({ contents }) => textOf(contents))).toEqual([]);
    const empty = [...translated.values()].filter(({ contents }) => textOf(contents).trim() === '');
    expect(empty).toEqual([]);
  });

  test('has no translation of a text that English no longer has', () => {
    const names = new Set(messages.map(({ name }) => name));
    expect([...translated.keys()].filter((name) => !names.has(name))).toEqual([]);
  });

  test('keeps the placeholders that are written in a text', () => {
    const wrong = messages.filter(({ name, contents }) => {
      const forms = formsOf(code, translated.get(name)?.contents ?? []);
      const [other, ...fewer] = forms.map((form) => tokens(textOf(form))).reverse();
      // 'one person' needs no number.
      const isLess = fewer.flat().every((token) => other.includes(token));
      return !isLess || `${other}` !== `${tokens(textOf(contents))}`;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test('has a name for each kind of the gallery, and no other', async () => {
    const { kinds } = await loadDictionary(code, LOADERS);
    expect(Object.keys(kinds).sort()).toEqual(await galleryNames());
    expect(Object.entries(kinds).filter(([, local]) => !local)).toEqual([]);
  });
});

test('Arabic has a form for each of its six plural categories', () => {
  const numbers = [0, 1, 2, 3, 11, 100];
  const cells = 'لا خلايا|خلية واحدة|خليتان|{n} خلايا|{n} خلية|{n} خلية';
  expect(numbers.map((n) => formFor('ar', n, cells))).toEqual(cells.split('|'));
  const plurals = [...words.translations('ar').values()]
    .map(({ contents }) => textOf(contents))
    // A printed sign breaks its lines there.
    .filter((text) => text.includes('|') && !text.includes(' | '));
  expect(plurals.length).toBeGreaterThan(20);
  for (const text of plurals) expect([text, text.split('|').length]).toEqual([text, 6]);
  expect(formFor('en', 2, 'a|b|c')).toBeUndefined();
});

test('no translation loses a placeholder', () => {
  expect(words.problems()).toEqual([]);
});

/** Contents of all files of a folder. */
function contentsOf(parent: string, folder: string): Record<string, string> {
  const files = readdirSync(join(parent, folder), { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => /\.\w+$/.test(file))
    .map((file) => [file, readFileSync(join(parent, folder, file), 'utf8')]);
  return Object.fromEntries(texts);
}

test('the generated files are up to date: npm run words', async () => {
  await words.build();
  const folder = 'client/locale/words';
  expect(contentsOf(root, folder)).toEqual(contentsOf(fresh, folder));
  const sign = 'server/host/sign-words.json';
  expect(readFileSync(join(root, sign), 'utf8')).toBe(readFileSync(join(fresh, sign), 'utf8'));
});

test('a page loads only the texts of its own modules', () => {
  const texts = (part: 'visitor' | 'host' | 'wall') =>
    words.sourceOf(part).map(({ contents }) => textOf(contents));
  expect(texts('visitor')).toContain('Another creature lives there.');
  expect(texts('host')).toContain('New seeds');
  expect(texts('wall')).toContain('One moment');
  expect(texts('visitor')).not.toContain('New seeds');
  expect(texts('visitor')).not.toContain('One moment');
  expect(texts('wall')).not.toContain('New seeds');
});

test('no element contains text that cannot be translated', () => {
  const files = ['elements', 'visitor', 'table', 'host', 'keep', 'lineage'].flatMap((folder) =>
    Object.entries(contentsOf(root, `client/${folder}`)),
  );
  const said = files.flatMap(([file, text]) =>
    templates(text)
      .flatMap(untranslated)
      .map((words) => `${file}: ${words}`),
  );
  // A name is the same in every language.
  expect(said.filter((words) => !/: (Vivarium( ◦|$)|OpenAPI$)/.test(words))).toEqual([]);
});

test('the layout of every page follows the direction of the text', () => {
  const sided = /(?:margin|padding|border)-(?:left|right)|(?:text-align|float): (?:left|right)/;
  const styles = [
    'elements',
    'host',
    'keep',
    'lineage',
    'style',
    'table',
    'visitor',
    'wall',
  ].flatMap((folder) => Object.entries(contentsOf(root, `client/${folder}`)));
  expect(styles.length).toBeGreaterThan(50);
  expect(styles.filter(([, text]) => sided.test(text)).map(([file]) => file)).toEqual([]);
});

test('every reason that a visitor can meet has a text of its own', () => {
  const general = REASONS.filter((reason) => reasonText(reason) === reasonText('not-here'));
  expect(general.filter((reason) => reason !== 'not-here')).toEqual(NOT_FOR_VISITORS);
});

test('the text of each refusal on the host page is a sentence', () => {
  for (const text of Object.values(REASON_TEXTS)) expect(text).toMatch(/\p{L}.*\.$/u);
});

test('a wall shows texts in any language, and untranslated ones in English', async () => {
  const [danish, english, arabic] = [await voiceOf('da'), await voiceOf('en'), await voiceOf('ar')];
  expect(arabic.direction).toBe('rtl');
  expect(arabic.say('{count} are here', { count: 2 })).toBe('شخصان هنا');
  expect(danish.say('Scan to plant a seed')).toBe('Scan for at plante et frø');
  expect(english.say('Scan to plant a seed')).toBe('Scan to plant a seed');
  expect(danish.say('{count} are here', { count: 3 })).toBe('3 er her');
  expect(danish.say('Not translated: {kind}, {x}', { kind: 'Penguin' })).toBe(
    'Not translated: Penguin, {x}',
  );
});

test('numbers and times follow the language', () => {
  expect([0, 1, 2].map((n) => plural(n, 'one', 'other'))).toEqual(['other', 'one', 'other']);
  expect(number(12_345.5)).toBe('12,345.5');
  expect(ageText(2)).toBe('just planted');
  expect(ageText(60 * 50)).toBe('50 minutes old');
  expect(kindName('hot_pepper')).toBe('hot pepper');
  expect(kindName('')).toBe('nameless');
  expect(ageText(34)).toBe('34 seconds old');
  expect(ageText(200_000)).toBe('2 days old');
});
