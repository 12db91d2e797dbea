/** Texts of the host's page. Their translations are tested in words.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REASON_TEXTS } from '../../../client/host/refusal-text.ts';
import { templates, untranslated } from '../../support/html-words.ts';

const folder = fileURLToPath(new URL('../../../client/host', import.meta.url));

test('no element contains untranslated text', () => {
  const files = ['vivarium-host.ts', ...readdirSync(join(folder, 'elements'))];
  const found = files.flatMap((file) => {
    const path = file === 'vivarium-host.ts' ? file : join('elements', file);
    return templates(readFileSync(join(folder, path), 'utf8'))
      .flatMap(untranslated)
      .map((words) => `${file}: ${words}`);
  });
  // A name is the same in every language.
  expect(found.filter((words) => !/: Vivarium( ◦|$)/.test(words))).toEqual([]);
});

test('the text of each refusal is a sentence', () => {
  for (const text of Object.values(REASON_TEXTS)) expect(text).toMatch(/\p{L}.*\.$/u);
});
