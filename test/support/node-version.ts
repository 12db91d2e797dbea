/** Other versions of Node than the one that runs the tests. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = fileURLToPath(new URL('../../.cache/node', import.meta.url));

/** Returns the program of a version of Node. npm has it as a package, which is fetched once. */
export async function nodeOf(version: number): Promise<string> {
  const folder = join(cache, `${version}`);
  const file = join(folder, 'bin/node');
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const cwd = mkdtempSync(join(cache, 'draft-'));
  const words = ['pack', '--silent', `node-linux-${process.arch}@${version}`];
  const { stdout } = await run('npm', words, { cwd });
  await run('tar', ['-xzf', stdout.trim()], { cwd });
  renameSync(join(cwd, 'package'), folder);
  return file;
}
