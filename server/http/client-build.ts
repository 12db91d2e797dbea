/** Builds the client when there is none yet, or an older one than its sources. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOf } from '../../shared/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const clientSource = join(root, 'client');
const built = join(clientSource, 'dist');

/** Newest modification of a file under a folder, ms; what has been built does not count. */
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
 * @param log told when a build begins
 * @returns folder of the built client
 */
export async function ensureClient(log: (line: string) => void): Promise<string> {
  const index = await stat(join(built, 'index.html')).catch(() => undefined);
  // The libraries are built in as well, and the lock file says which.
  const { mtimeMs: libraries } = await stat(join(root, 'package-lock.json'));
  const sources = [await newest(clientSource), await newest(join(root, 'shared')), libraries];
  if (index && index.mtimeMs >= Math.max(...sources)) return built;
  log('Building the pages …');
  const { build } = await import('vite');
  const { NODE_ENV } = process.env;
  // Where it says otherwise, as in tests, pages would get the libraries' talkative halves.
  process.env.NODE_ENV = 'production';
  try {
    // As in client/vite.config.ts, which knows the pages.
    for (const mode of ['wall', 'host', 'visitor']) {
      await build({ root: clientSource, mode, logLevel: 'warn' });
    }
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
  return built;
}

/** @returns which build of the wall's page lies in a folder; '' where there is none */
export async function wallBuild(folder: string): Promise<string> {
  return buildOf(await readFile(join(folder, 'wall.html'), 'utf8').catch(() => ''));
}
