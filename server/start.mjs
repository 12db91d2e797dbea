// @ts-check
/** `npm start`: runs the server from its bundle, or from its sources if it cannot be bundled. */
import { ensureBundle } from './launch/bundle.mjs';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

/**
 * Settings of glibc's allocator: few arenas, and large buffers that return to the system when they
 * are freed. By default, the arenas of all threads keep freed memory, hundreds of megabytes in a
 * busy show.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
/**
 * Size in MB of each half of V8's space for young objects, as in Node 20. Later versions take twice
 * as much.
 */
const YOUNG = '--max-semi-space-size=16';
// glibc reads the settings when a process begins, so replace the process. Node before 22.15 has no
// `execve`.
const { execve } = /** @type {any} */ (process);
if (process.platform === 'linux' && execve && !process.env.MALLOC_ARENA_MAX) {
  const args = [process.execPath, YOUNG, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, args, { ...ALLOCATOR, ...process.env });
}

try {
  process.env[BUNDLE] = await ensureBundle();
  // Make stack traces refer to the sources.
  process.setSourceMapsEnabled(true);
} catch (error) {
  delete process.env[BUNDLE];
  console.error(
    `The server starts from its sources, because it could not be bundled: ${error instanceof Error ? error.message : error}`,
  );
}
await enter('main', new URL('./main.ts', import.meta.url));
