// @ts-check
/**
 * Fails if a file of the repository is too large:
 *
 *     node .ci/check-sizes.mjs [folder of a checkout]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Maximum sizes of files in bytes. `fixtures` limits the total size of all test fixtures. */
const LIMITS = { file: 1_000_000, picture: 250_000, largePicture: 700_000, fixtures: 2_000_000 };

const WEIGHTS = /^checkpoints\/.*\/(model|painter)\.safetensors$/;
const PICTURE = /\.(png|webp|jpg|gif)$/;

const root = process.argv[2] ?? '.';
const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)))
  .map((file) => ({ file, bytes: statSync(join(root, file)).size }));
const [, first] =
  /!\[[^\]]*\]\(([^)]+)\)/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];

/** @param {string} file */
function limitOf(file) {
  if (WEIGHTS.test(file)) return Number.POSITIVE_INFINITY;
  if (!PICTURE.test(file)) return LIMITS.file;
  const mayBeLarge = file === first || file.startsWith('checkpoints/');
  return mayBeLarge ? LIMITS.largePicture : LIMITS.picture;
}

const problems = files
  .filter(({ file, bytes }) => bytes > limitOf(file))
  .map(({ file, bytes }) => `${file} has ${bytes} bytes, more than the limit of ${limitOf(file)}`);
const fixtures = files
  .filter(({ file }) => file.startsWith('test/fixtures/'))
  .reduce((sum, { bytes }) => sum + bytes, 0);
if (fixtures > LIMITS.fixtures) {
  problems.push(`test/fixtures has ${fixtures} bytes, more than the limit of ${LIMITS.fixtures}`);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
