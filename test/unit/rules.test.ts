/** shared/RULES.md and the tests must not drift apart. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ID = /\b[A-Z]{3}-\d+\b/g;

test('every rule has a test that carries its id, and every id in a test is a rule', () => {
  const rules = readFileSync(`${root}shared/RULES.md`, 'utf8');
  const listed = new Set([...rules.matchAll(/\*\*([A-Z]{3}-\d+)\*\*/g)].map(([, id]) => id));
  expect(listed.size).toBeGreaterThan(15);
  const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' });
  const titles = files
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const text = readFileSync(`${root}test/${file}`, 'utf8');
      return [...text.matchAll(/\btest(?:\.each\([\s\S]*?\))?\(\s*(['"`])(.*?)\1,/g)].map(
        ([, , title]) => title,
      );
    });
  const tested = new Set(titles.flatMap((title) => title.match(ID) ?? []));
  expect([...tested].sort()).toEqual([...listed].sort());
});
