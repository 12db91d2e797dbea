/**
 * What no compiler tells of sources: elements that templates name are loaded with their page, or a browser shows nothing;
 * and pages also run in browsers that lack parts of the DOM.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const client = fileURLToPath(new URL('../../../client', import.meta.url));

/** All modules that a page loads, now or later, by their names; imports of types are not loaded. */
function modulesOf(file: string, known = new Map<string, string>()): Map<string, string> {
  if (known.has(file)) return known;
  const text = readFileSync(file, 'utf8');
  known.set(file, text);
  const code = text.replaceAll(/^import type[^;]*;$/gm, '');
  for (const [, path] of code.matchAll(/(?:from|import)[ (]+'(\.[^']+\.ts)'/g)) {
    modulesOf(join(dirname(file), path), known);
  }
  return known;
}

test.each(['visitor', 'wall', 'table', 'host', 'keep', 'lineage'])(
  'the page "%s" loads every element that its templates name',
  (page) => {
    const texts = [...modulesOf(join(client, page, 'main.ts')).values()];
    const found = (pattern: RegExp) =>
      new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name)));
    const defined = found(/@customElement\('([\w-]+)'\)/g);
    const named = [...found(/<([a-z]+-[\w-]+)/g)];
    expect(defined.size).toBeGreaterThan(0);
    expect(named.filter((name) => !defined.has(name))).toEqual([]);
  },
);

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
