/** What the host's page says. That it is translated is tested with all other texts in words.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reasonText } from '../../../client/host/refusal-text.ts';
import { HOST_REASONS, type HostReason } from '../../../shared/host/reasons.ts';
import { templates, untranslated } from '../../support/html-words.ts';

const folder = fileURLToPath(new URL('../../../client/host', import.meta.url));

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
