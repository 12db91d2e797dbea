// @ts-check
/** `npm start`: runs the server from its bundle; from its sources, where none can be made. */
import { ensureBundle } from './launch/bundle.mjs';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

try {
  process.env[BUNDLE] = await ensureBundle();
  // Errors name the sources.
  process.setSourceMapsEnabled(true);
} catch (error) {
  delete process.env[BUNDLE];
  console.error(
    `The server could not be bundled, and starts from its sources: ${error instanceof Error ? error.message : error}`,
  );
}
await enter('main', new URL('./main.ts', import.meta.url));
