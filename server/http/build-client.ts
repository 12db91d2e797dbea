/** Builds all pages: `npm run build`. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

// Tests set another value, with which pages would contain development versions of libraries.
process.env.NODE_ENV = 'production';
const root = fileURLToPath(new URL('../../client', import.meta.url));
// Each mode of client/vite.config.ts builds one page.
for (const mode of ['wall', 'table', 'host', 'keep', 'lineage', 'visitor']) {
  await build({ root, mode, logLevel: 'warn' });
}
