/** `npm run check:sizes`, on small repositories. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suiteFolder } from '../support/closing.ts';

const SCRIPT = fileURLToPath(new URL('../../.ci/check-sizes.mjs', import.meta.url));
const parent = suiteFolder();

/** @param files bytes of each @returns what the check says; '' if it passes */
function check(files: Readonly<Record<string, number>>): string {
  const root = mkdtempSync(join(parent, 'repository-'));
  execFileSync('git', ['init', '--quiet', root]);
  writeFileSync(join(root, 'README.md'), '![A room](room.webp)\n![A phone](phone.webp)\n');
  writeFileSync(join(root, '.gitignore'), 'ignored\n');
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), Buffer.alloc(bytes));
  }
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, root], { encoding: 'utf8' });
  expect(status).toBe(stderr === '' ? 0 : 1);
  return stderr;
}

test('weights, pictures of checkpoints, the first picture of README and ignored files may be large', () => {
  const files = {
    'checkpoints/a/model.safetensors': 5_000_000,
    'checkpoints/a/painter.safetensors': 1_100_000,
    'checkpoints/a/map.png': 690_000,
    'room.webp': 690_000,
    'phone.webp': 240_000,
    'package-lock.json': 900_000,
    'ignored/recording': 2_000_000,
  };
  expect(check(files)).toBe('');
});

test.each([
  ['server/state.safetensors', 1_100_000],
  ['checkpoints/a/optimiser.safetensors', 1_100_000],
  ['checkpoints/a/map.png', 710_000],
  ['room.webp', 710_000],
  ['phone.webp', 260_000],
])('%s of %i bytes is refused', (file, bytes) => {
  expect(check({ [file]: bytes })).toContain(`${file} has ${bytes} bytes, more than the limit`);
});

test('fixtures have 2 MB together', () => {
  const files = { 'test/fixtures/a': 900_000, 'test/fixtures/b': 900_000 };
  expect(check(files)).toBe('');
  expect(check({ ...files, 'test/fixtures/c': 900_000 })).toContain('test/fixtures has 2700000');
});
