/** What the host's page says, in every language. Its words are its own: no visitor loads them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfigFileAndWriteSchema } from '@lit/localize-tools/lib/config.js';
import { RuntimeLitLocalizer } from '@lit/localize-tools/lib/modes/runtime.js';
import { reasonText } from '../../../client/host/reasons.ts';
import { LANGUAGES, type Language } from '../../../client/locale/languages.ts';
import { HOST_REASONS, type HostReason } from '../../../shared/host/reasons.ts';
import { templates, untranslated } from '../../support/htmlWords.ts';

const folder = fileURLToPath(new URL('../../../client/host', import.meta.url));
const others = (Object.keys(LANGUAGES) as Language[]).filter((code) => code !== 'en');

const config = readConfigFileAndWriteSchema(join(folder, 'locale/lit-localize.json'));
if (config.output.mode !== 'runtime') throw new Error('words are fetched at run time');
const localizer = new RuntimeLitLocalizer({ ...config, output: config.output });
const { messages, errors } = localizer.extractSourceMessages();
const { translations } = localizer.readTranslationsSync();

test.each(others)('%s says all that English says, and nothing else', (code) => {
  expect(errors).toEqual([]);
  const known = (translations.get(code as never) ?? [])
    .filter(({ contents }) => contents.length > 0)
    .map(({ name }) => name);
  expect(known.sort()).toEqual(messages.map(({ name }) => name).sort());
});

test('no translation loses a placeholder', () => {
  expect(localizer.validateTranslations().errors).toEqual([]);
});

test('what the page loads is what was translated: npm run words', async () => {
  const outputDir = mkdtempSync(join(tmpdir(), 'words-'));
  const fresh = new RuntimeLitLocalizer({ ...config, output: { mode: 'runtime', outputDir } });
  await fresh.build();
  for (const code of others) {
    const kept = readFileSync(join(folder, `locale/words/${code}.ts`), 'utf8');
    expect(kept).toBe(readFileSync(join(outputDir, `${code}.ts`), 'utf8'));
  }
  rmSync(outputDir, { recursive: true });
});

test('no element says a word in English only', () => {
  const files = ['vivarium-host.ts', ...readdirSync(join(folder, 'elements'))];
  const said = files.flatMap((file) => {
    const path = file === 'vivarium-host.ts' ? file : join('elements', file);
    return templates(readFileSync(join(folder, path), 'utf8'))
      .flatMap(untranslated)
      .map((words) => `${file}: ${words}`);
  });
  // A name is the same in every language.
  expect(said.filter((words) => !/: Vivarium( ◦|$)/.test(words))).toEqual([]);
});

test('every refusal of a host’s call has words', () => {
  for (const reason of Object.keys(HOST_REASONS) as HostReason[]) {
    expect(reasonText(reason)).toMatch(/\p{L}.*\.$/u);
  }
});
