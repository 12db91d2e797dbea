/** What the pages say, in every language: nothing is missing, nothing is lost, nothing is said past the translators. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfigFileAndWriteSchema } from '@lit/localize-tools/lib/config.js';
import { RuntimeLitLocalizer } from '@lit/localize-tools/lib/modes/runtime.js';
import { ageText } from '../../../client/elements/life-words.ts';
import { reasonText } from '../../../client/elements/refusal-words.ts';
import { kindName, number, plural } from '../../../client/elements/words.ts';
import { chooseLanguage, LANGUAGES, type Language } from '../../../client/locale/languages.ts';
import { loadDictionary } from '../../../client/locale/load.ts';
import { speakerOf } from '../../../client/locale/speaker.ts';
import { REASONS, type Reason } from '../../../shared/protocol/reasons.ts';
import { templates, untranslated } from '../../support/htmlWords.ts';

const client = fileURLToPath(new URL('../../../client', import.meta.url));
const others = (Object.keys(LANGUAGES) as Language[]).filter((code) => code !== 'en');

const config = readConfigFileAndWriteSchema(join(client, 'locale/lit-localize.json'));
if (config.output.mode !== 'runtime') throw new Error('words are fetched at run time');
const localizer = new RuntimeLitLocalizer({ ...config, output: config.output });
const { messages, errors } = localizer.extractSourceMessages();
const { translations } = localizer.readTranslationsSync();

/** Reasons that only a wall or a host is told: in client/elements/refusal-words.ts are those for visitors. */
const NOT_FOR_VISITORS: readonly Reason[] = ['too-many-walls', 'only-watches'];

const textOf = (contents: (typeof messages)[number]['contents']): string =>
  contents.map((part) => (typeof part === 'string' ? part : part.untranslatable)).join('');

const tokens = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test('all messages can be extracted', () => {
  expect(errors).toEqual([]);
  expect(messages.length).toBeGreaterThan(90);
});

describe.each(others)('%s', (code) => {
  const translated = new Map(
    translations.get(code as never)?.map((message) => [message.name, message]),
  );

  test('says all that English says', () => {
    const missing = messages.filter(({ name }) => !translated.has(name));
    expect(missing.map(({ contents }) => textOf(contents))).toEqual([]);
    const empty = [...translated.values()].filter(({ contents }) => textOf(contents).trim() === '');
    expect(empty).toEqual([]);
  });

  test('says nothing that English says no more', () => {
    const names = new Set(messages.map(({ name }) => name));
    expect([...translated.keys()].filter((name) => !names.has(name))).toEqual([]);
  });

  test('loses no placeholder that is written in the text', () => {
    for (const { name, contents } of messages) {
      const there = textOf(translated.get(name)?.contents ?? []);
      expect([name, ...tokens(there)]).toEqual([name, ...tokens(textOf(contents))]);
    }
  });

  test('has a name for each kind of the gallery', async () => {
    const card = join(client, '../checkpoints/organisms/card.json');
    const { gallery } = JSON.parse(readFileSync(card, 'utf8')) as { gallery: { name: string }[] };
    const { kinds } = await loadDictionary(code);
    expect(gallery.filter(({ name }) => !kinds[name])).toEqual([]);
  });
});

test('no translation loses a placeholder', () => {
  expect(localizer.validateTranslations().errors).toEqual([]);
});

test('what pages load is what was translated: npm run words', async () => {
  const outputDir = mkdtempSync(join(tmpdir(), 'words-'));
  const fresh = new RuntimeLitLocalizer({ ...config, output: { mode: 'runtime', outputDir } });
  await fresh.build();
  for (const code of others) {
    const kept = readFileSync(join(client, `locale/words/${code}.ts`), 'utf8');
    expect(kept).toBe(readFileSync(join(outputDir, `${code}.ts`), 'utf8'));
  }
  rmSync(outputDir, { recursive: true });
});

test('no element says a word in English only', () => {
  const folder = join(client, 'elements');
  const said = readdirSync(folder).flatMap((file) =>
    templates(readFileSync(join(folder, file), 'utf8'))
      .flatMap(untranslated)
      .map((words) => `${file}: ${words}`),
  );
  expect(said).toEqual(['vivarium-room.ts: Vivarium']);
});

test('every refusal that a visitor can meet has words to translate, the same as the protocol has', () => {
  const sources = new Set(messages.map(({ contents }) => textOf(contents)));
  const reasons = Object.keys(REASONS) as Reason[];
  expect(reasons.filter((reason) => !sources.has(REASONS[reason]))).toEqual(NOT_FOR_VISITORS);
  for (const reason of reasons) expect(reasonText(reason)).toBe(REASONS[reason]);
});

test.each([
  [['da'], 'da'],
  [['fr-CA', 'de-AT', 'en'], 'de'],
  [[null, undefined, 'ja-JP'], 'ja'],
  [['ES_mx'], 'es'],
  [['en-GB', 'da'], 'en'],
  [['tlh', ''], 'en'],
  [[], 'en'],
] as const)('who wishes %j gets %s', (wishes, language) => {
  expect(chooseLanguage(wishes)).toBe(language);
});

test('a page in English says a text in any language', async () => {
  const [danish, english] = [await speakerOf('da'), await speakerOf('en')];
  expect(danish.say('Another organism lives there.')).toBe('Der bor allerede en organisme.');
  expect(english.say('Another organism lives there.')).toBe('Another organism lives there.');
  expect(danish.say('Not translated: {kind}, {x}', { kind: danish.kind('Penguin') })).toBe(
    'Not translated: pingvin, {x}',
  );
  expect(english.kind('hot_pepper')).toBe('hot pepper');
});

test('numbers and times follow the language', () => {
  expect([0, 1, 2].map((n) => plural(n, 'one', 'other'))).toEqual(['other', 'one', 'other']);
  expect(number(12_345.5)).toBe('12,345.5');
  expect(ageText(2)).toBe('just planted');
  expect(ageText(60 * 50)).toBe('50 minutes old');
  expect(kindName('hot_pepper')).toBe('hot pepper');
});
