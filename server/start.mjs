#!/usr/bin/env node
// @ts-check
/**
 * Script behind `npm start`, and behind the command `vivarium` of the installed package. Runs the
 * server or another command from the bundle, or from the sources if bundling fails.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

/** Commands other than the server, with their modules. */
const COMMANDS = {
  doctor: './engine/doctor/main.ts',
  replay: './replay/main.ts',
  'keep-page': './http/write-keep-page.ts',
  'host-token': './composition/new-host-token.ts',
};

/**
 * Environment variables for the memory allocator of glibc: few arenas, and large buffers that
 * return to the system as soon as they are freed. By default, the arenas of all threads keep freed
 * memory, which can be hundreds of megabytes on a busy server.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
/**
 * Option for the size of each half of V8's space for young objects, in MB. 16 MB is the default of
 * Node 20; later versions take twice as much.
 */
const YOUNG = '--max-semi-space-size=16';
// glibc reads its environment variables only when a process begins. To set them, replace this
// process by a new one. Node before 22.15 has no `execve`.
const { execve } = /** @type {any} */ (process);
if (process.platform === 'linux' && execve && !process.env.MALLOC_ARENA_MAX) {
  const args = [process.execPath, YOUNG, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, args, { ...ALLOCATOR, ...process.env });
}

try {
  // The installed package contains a bundle. It has no lock file, because `npm pack` leaves that
  // out.
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
