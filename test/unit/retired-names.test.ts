/** Names that were replaced by standard terms stay away, and participants are "they". */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const retired = JSON.parse(
  readFileSync(join(root, 'test/fixtures/retired-names.json'), 'utf8'),
) as { readonly files: readonly string[]; readonly exports: readonly string[] };

const files = ['server', 'client', 'shared', 'test']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  )
  .concat('README.md')
  .filter((file) => /\.(ts|mjs|md)$/.test(file))
  .filter((file) => !/^client\/(dist|locale\/(words|xliff|kinds))\//.test(file));

const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const EXPORT = /^export (?:async )?(?:class|interface|type|function\*?|const) (\w+)/gm;

test('no file has a retired name', () => {
  const names = new Set(retired.files);
  expect(files.filter((file) => names.has(basename(file)))).toEqual([]);
});

test('nothing is exported under a retired name', () => {
  const names = new Set(retired.exports);
  const found = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(EXPORT)].flatMap(([, name]) => (names.has(name) ? [`${file}: ${name}`] : [])),
  );
  expect(found).toEqual([]);
});

test('file names are in kebab-case', () => {
  const odd = files.filter(
    (file) => /\.(ts|mjs)$/.test(file) && !/^[a-z0-9.-]+$/.test(basename(file)),
  );
  expect(odd).toEqual([]);
});

test('no participant is "she" in code or documents', () => {
  // This file names what it looks for.
  const found = [...texts].flatMap(([file, text]) =>
    file.endsWith('retired-names.test.ts')
      ? []
      : text
          // Danish for "here".
          .replaceAll("'3 er her'", '')
          .split('\n')
          .flatMap((line, i) =>
            /\b(she|her|hers|herself)\b/i.test(line) ? [`${file}:${i + 1}`] : [],
          ),
  );
  expect(found).toEqual([]);
});
