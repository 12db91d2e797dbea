/**
 * Adding a language, by the steps in shared/languages.ts, to a copy of the sources. Only in full
 * runs; `npm test` checks that the languages of the pages are complete.
 */

import { execFile } from 'node:child_process';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suiteFolder } from '../support/closing.ts';
import { isFull, testNeeding } from '../support/needs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const REGISTRY = 'shared/languages.ts';
const XLIFF = 'client/locale/xliff/he.xlf';
const KINDS = 'client/locale/kinds/he.json';
const TABLE = /Record<(LanguageCode|TranslatedLanguage)\b|\b(?!LANGUAGES\[)[A-Z_]+\[language\b/;

const copy = suiteFolder();

beforeAll(async () => {
  const files = ['checkpoints/organisms/card.json', 'package.json', 'tsconfig.json'];
  for (const path of ['client', 'server', 'shared', ...files]) {
    await cp(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => !source.includes(join('client', 'dist')),
    });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  // Beside the words, what has or uses a table of languages other than the registry; the types of
  // all the rest say nothing of them.
  const users: string[] = [];
  for (const file of await allFiles()) {
    if (/^(client|server).*\.ts$/.test(file) && TABLE.test(await read(file))) users.push(file);
  }
  expect(users).toContain('client/wall/text.ts');
  expect(users).toContain('server/host/printed-sign.ts');
  const config = JSON.parse(await read('tsconfig.json'));
  await write('tsconfig.json', JSON.stringify({ ...config, include: ['client/locale', ...users] }));
});

const read = (path: string): Promise<string> => readFile(join(copy, path), 'utf8');
const write = (path: string, text: string): Promise<void> => writeFile(join(copy, path), text);

/** What a program printed, whether or not it succeeded. */
const run = (...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: copy }, (_error, out, err) => resolve(out + err));
  });

const words = (): Promise<string> => run('--import', 'tsx', 'client/locale/tools/main.ts');
const types = (): Promise<string> =>
  run('node_modules/typescript/bin/tsc', '--incremental', '--tsBuildInfoFile', 'tsc.json');

async function allFiles(): Promise<string[]> {
  const all = ['client', 'server', 'shared'].map(async (folder) =>
    (await readdir(join(copy, folder), { recursive: true })).map((file) => join(folder, file)),
  );
  return (await Promise.all(all)).flat().map((file) => file.replaceAll(sep, '/'));
}

testNeeding('npm run test:full', isFull)(
  'one entry and two translation files add a language; until then, types and npm run words say what is missing',
  async () => {
    const before = new Set(await allFiles());

    const registry = await read(REGISTRY);
    const entry = "  he: { name: 'עברית', direction: 'rtl' },\n";
    await write(REGISTRY, registry.replace(/(?=\} as const satisfies)/, entry));
    const failures = await types();
    for (const part of [
      'client/locale/words/visitor',
      'client/locale/words/host',
      'client/locale/words/wall',
      'client/locale/words/kinds',
      'server/host/printed-sign',
    ]) {
      expect(failures).toMatch(new RegExp(`^${part}.*'?he'? is missing`, 'm'));
    }

    const said = await words();
    const [, texts, allTexts, names, allNames] =
      said.match(
        /^he: (\d+) of (\d+) texts to translate in \S+he\.xlf, (\d+) of (\d+) names in \S+he\.json$/m,
      ) ?? [];
    expect([Number(texts), Number(names)]).toEqual([Number(allTexts), Number(allNames)]);
    expect(Number(texts)).toBeGreaterThan(600);
    expect(await types()).toBe('');
    expect((await allFiles()).filter((file) => !before.has(file)).sort()).toEqual([
      KINDS,
      'client/locale/words/host/he.ts',
      'client/locale/words/keep/he.ts',
      'client/locale/words/lineage/he.ts',
      'client/locale/words/table/he.ts',
      'client/locale/words/visitor/he.ts',
      'client/locale/words/wall/he.json',
      XLIFF,
    ]);
  },
);
