/** Builds all pages: `npm run build`. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

// With another value, as in tests, pages would get the development versions of libraries.
process.env.NODE_ENV = 'production';
const root = fileURLToPath(new URL('../../client', import.meta.url));
// The modes of client/vite.config.ts.
for (const mode of ['wall', 'host', 'keep', 'lineage', 'visitor']) {
  await build({ root, mode, logLevel: 'warn' });
}
