/** `npm run check:layers`, on small trees with tables of their own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suiteFolder } from '../support/closing.ts';

const SCRIPT = fileURLToPath(new URL('../../.ci/check-layers.mjs', import.meta.url));
const parent = suiteFolder();

const TABLE = { shared: '', 'a/low': '', 'a/high': 'a/low', 'a/odd': 'a/high/door.ts' };

/** Runs the check on a tree. @returns its exit status and what it says */
function check(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(parent, 'tree-'));
  const all = { '.ci/layers.json': JSON.stringify(TABLE), 'shared/s.ts': '', ...files };
  for (const [file, text] of Object.entries({ 'a/low/l.ts': '', ...all })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, root], { encoding: 'utf8' });
  return { status, said: stderr.trim().split('\n') };
}

test('what the table allows passes: what lies below, oneself, shared, packages, and single files', () => {
  const files = {
    'a/high/h.ts': `import '../low/l.ts'; import './door.ts'; import '../../shared/s.ts'; import 'lit';`,
    'a/high/door.ts': '@sealed class Door { constructor(private readonly key: string) {} }',
    'a/odd/o.ts': `import '../high/door.ts';`,
  };
  expect(check(files)).toEqual({ status: 0, said: [''] });
});

test.each([
  ['an import', `import { h } from '../high/h.ts';`],
  ['a type', `import type { H } from '../high/h.ts';`],
  ['the type of a module', `type H = typeof import('../high/h.ts');`],
  ['a re-export', `export { h } from '../high/h.ts';`],
  ['a re-export of all', `export * from '../high/h.ts';`],
  ['a module that is loaded later', `const load = () => import('../high/h.ts?url');`],
])('%s that the table forbids fails', (_, text) => {
  expect(check({ 'a/low/l.ts': text, 'a/high/h.ts': '' })).toEqual({
    status: 1,
    said: [expect.stringContaining('a/low/l.ts imports a/high/h.ts; a/low may import')],
  });
});

test('another file of a folder of which one file is allowed fails, as does shared that imports a side', () => {
  const files = { 'a/odd/o.ts': `import '../high/h.ts';`, 'a/high/h.ts': '' };
  expect(check(files).said).toEqual([expect.stringContaining('a/odd/o.ts imports a/high/h.ts')]);
  expect(check({ 'shared/s.ts': `import '../a/low/l.ts';` }).status).toBe(1);
});

test('files that import one another in a circle fail, types included', () => {
  const files = {
    'a/low/l.ts': `import type { M } from './m.ts';`,
    'a/low/m.ts': `export { n } from './n.ts';`,
    'a/low/n.ts': `import './l.ts';`,
  };
  expect(check(files)).toEqual({
    status: 1,
    said: ['a circle: a/low/l.ts → a/low/m.ts → a/low/n.ts → a/low/l.ts'],
  });
});

test('a folder that is not in the table fails', () => {
  expect(check({ 'a/new/x.ts': '' }).said).toEqual([
    expect.stringContaining('a/new/x.ts is in no'),
  ]);
});
