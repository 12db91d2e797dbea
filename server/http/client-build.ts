/** Builds the client if its build is missing or older than the sources. */

import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildOf } from '../../shared/build.ts';
import { isInstalled, ROOT } from '../platform/installation.ts';

const clientSource = join(ROOT, 'client');
const built = join(clientSource, 'dist');

/** Finds the latest modification time of a file in a folder, in ms, ignoring the build output. */
async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const times = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (path === built) return 0;
    return entry.isDirectory() ? newest(path) : (await stat(path)).mtimeMs;
  });
  return Math.max(0, ...(await Promise.all(times)));
}

/**
 * Builds the client if necessary. The installed package contains a build.
 *
 * @param log called when a build begins
 * @returns the folder of the built client
 */
export async function ensureClient(log: (line: string) => void): Promise<string> {
  if (isInstalled) return built;
  const index = await stat(join(built, 'index.html')).catch(() => undefined);
  // The build also contains libraries, so check the lock file, which changes with their versions.
  const { mtimeMs: libraries } = await stat(join(ROOT, 'package-lock.json'));
  const folders = [clientSource, ...['shared', 'server/vnca'].map((folder) => join(ROOT, folder))];
  const sources = [...(await Promise.all(folders.map(newest))), libraries];
  if (index && index.mtimeMs >= Math.max(...sources)) return built;
  log('Building the pages …');
  // Build in a separate process: a build takes 250 MB, which would not be freed in this process.
  const args = ['--import', 'tsx', fileURLToPath(new URL('./build-client.ts', import.meta.url))];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return built;
}

/** @returns the build ids of the pages of walls and tables in a folder, one per line */
export async function wallBuild(folder: string): Promise<string> {
  const pages = ['wall.html', 'table.html'].map((page) =>
    readFile(join(folder, page), 'utf8').then(buildOf, () => ''),
  );
  return (await Promise.all(pages)).join('\n').trim();
}
