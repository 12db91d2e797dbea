/** Programs that tests start, on this machine or from npm, and free ports for them. */
import { type ChildProcess, execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Finds a free port. It lies below the system's ephemeral range, so that no other test is assigned
 * it while the server is down.
 */
export function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(freePort()));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}

/**
 * Waits until a program has said something.
 *
 * @throws Error when it ends before
 */
export function says(
  program: ChildProcess,
  stream: Readable,
  words: RegExp,
): Promise<RegExpExecArray> {
  let said = '';
  return new Promise((resolve, reject) => {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = words.exec(said);
      if (found) resolve(found);
    });
    program.once('error', reject);
    program.once('close', () => reject(new Error(`${program.spawnfile} ended: ${said}`)));
  });
}

/** Waits until a program has ended. */
export function ended(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => program.once('exit', () => resolve()));
}

/** @returns where a program of this machine is; undefined where it is not installed */
export function findProgram(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Finds the program of a version of Node. Fetches it once, from a package of npm. */
export async function nodeOf(version: number): Promise<string> {
  const cache = fileURLToPath(new URL('../../.cache/node', import.meta.url));
  const folder = join(cache, `${version}`);
  const file = join(folder, 'bin/node');
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const cwd = mkdtempSync(join(cache, 'draft-'));
  const words = ['pack', '--silent', `node-linux-${process.arch}@${version}`];
  const { stdout } = await run('npm', words, { cwd });
  await run('tar', ['-xzf', stdout.trim()], { cwd });
  renameSync(join(cwd, 'package'), folder);
  return file;
}
