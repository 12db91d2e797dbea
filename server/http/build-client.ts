/** Builds all pages, and the client for other programs: `npm run build`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { buildLibrary } from './build-library.ts';

// Tests set another value, with which pages would contain development versions of libraries.
process.env.NODE_ENV = 'production';
const root = fileURLToPath(new URL('../../client', import.meta.url));
// Each mode of client/vite.config.ts builds one page.
for (const mode of ['wall', 'table', 'host', 'keep', 'lineage', 'visitor']) {
  await build({ root, mode, logLevel: 'warn' });
}
await buildLibrary(join(root, 'dist'));
