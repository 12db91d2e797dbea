// @ts-check
/** `npm start`: runs the server from its bundle, or from its sources if it cannot be bundled. */
import { ensureBundle } from './launch/bundle.mjs';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

try {
  process.env[BUNDLE] = await ensureBundle();
  // Stack traces refer to the sources.
  process.setSourceMapsEnabled(true);
} catch (error) {
  delete process.env[BUNDLE];
  console.error(
    `The server could not be bundled, and starts from its sources: ${error instanceof Error ? error.message : error}`,
  );
}
await enter('main', new URL('./main.ts', import.meta.url));
