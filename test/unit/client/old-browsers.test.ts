/** What the types of the DOM do not tell: pages also run in browsers that lack parts of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('no page counts on signals that older browsers do not make', () => {
  for (const folder of ['client', 'shared']) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(join(root, folder, file), 'utf8');
      expect([file, text.match(/AbortSignal\.(timeout|any)\(/g)]).toEqual([file, null]);
    }
  }
});
