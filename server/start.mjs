#!/usr/bin/env node
// @ts-check
/**
 * Script behind `npm start` and the command `vivarium` of the installed package. Runs the server or
 * another command from a bundle, or from the sources if bundling fails.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLE, enter } from './launch/worker-entry.mjs';

/** Modules of the commands other than the server. */
const COMMANDS = {
  doctor: './engine/doctor/main.ts',
  replay: './replay/main.ts',
  'keep-page': './http/write-keep-page.ts',
  'host-token': './composition/new-host-token.ts',
};

/**
 * Environment variables that make glibc's memory allocator use fewer pools, and return freed large
 * buffers to the system. Otherwise, a busy server can retain hundreds of megabytes of freed memory.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
/**
 * Size of each half of V8's space for young objects, in MB: the default of Node 20. Later versions
 * of Node use twice as much memory.
 */
const YOUNG = '--max-semi-space-size=16';
// glibc reads the variables only when a process begins, so replace this process by a new process.
// Node before 22.15 has no `execve`.
const { execve } = /** @type {any} */ (process);
if (process.platform === 'linux' && execve && !process.env.MALLOC_ARENA_MAX) {
  const args = [process.execPath, YOUNG, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, args, { ...ALLOCATOR, ...process.env });
}

try {
  // Only the repository has a lock file. The installed package has none, but contains a bundle.
  const isInstalled = !existsSync(new URL('../package-lock.json', import.meta.url));
  process.env[BUNDLE] = isInstalled
    ? fileURLToPath(new URL('../dist/server', import.meta.url))
    : await (await import('./launch/bundle.mjs')).ensureBundle();
  // Make stack traces refer to the sources.
  process.setSourceMapsEnabled(true);
} catch (error) {
  delete process.env[BUNDLE];
  const text = `The server starts from its source files, because the files could not be bundled: ${error instanceof Error ? error.message : error}`;
  console.error(text);
}
const command = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]);
if (command) process.argv.splice(2, 1);
const [name, source] = command ?? ['main', './main.ts'];
await enter(name, new URL(source, import.meta.url));
