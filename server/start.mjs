#!/usr/bin/env node
// @ts-check
/**
 * `npm start`, and `vivarium` of the installed package: runs the server or another command from the
 * bundle, or from the sources if they cannot be bundled.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

/** Commands besides the server, and their modules. */
const COMMANDS = {
  doctor: './engine/doctor/main.ts',
  replay: './replay/main.ts',
  'keep-page': './http/write-keep-page.ts',
  'host-token': './composition/new-host-token.ts',
};

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
  // The installed package has a bundle; `npm pack` leaves out the lock file.
  const isInstalled = !existsSync(new URL('../package-lock.json', import.meta.url));
  process.env[BUNDLE] = isInstalled
    ? fileURLToPath(new URL('../dist/server', import.meta.url))
    : await (await import('./launch/bundle.mjs')).ensureBundle();
  // Make stack traces refer to the sources.
  process.setSourceMapsEnabled(true);
} catch (error) {
  delete process.env[BUNDLE];
  console.error(
    `The server starts from its sources, because it could not be bundled: ${error instanceof Error ? error.message : error}`,
  );
}
const command = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]);
if (command) process.argv.splice(2, 1);
const [name, source] = command ?? ['main', './main.ts'];
await enter(name, new URL(source, import.meta.url));
