/**
 * Runs a Python process that has torch. It answers questions line by line in JSON, so that it can
 * be timed alternately with ours.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from './options.ts';

export interface Python {
  /** The first answer of the script. */
  readonly hello: unknown;
  /** A folder for files that both processes use. It is removed at the end. */
  readonly folder: string;
  /** @throws Error the process has ended, with its last line */
  ask(question: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Includes the system's own interpreter, because the first one in the path may lack its packages.
 */
const INTERPRETERS = ['python3', '/usr/bin/python3'];

/**
 * Starts a script that first prints one line of JSON, and then answers each line with one line.
 *
 * @returns undefined, with a message, if no python3 has torch
 */
export async function startPython(script: string, log: Log): Promise<Python | undefined> {
  const python = INTERPRETERS.find(
    (name) => spawnSync(name, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
  );
  if (!python) {
    log(
      'The comparison with PyTorch is left out, because no python3 on this machine has the module torch.',
    );
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-bench-'));
  const file = join(folder, 'script.py');
  await writeFile(file, script);
  const child = spawn(python, [file], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  // Ignore that the process has ended; `next` reports its last line.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`python3 ended: ${complaint.trim().split('\n').at(-1)}`);
    return JSON.parse(value);
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return {
      hello: await next(),
      folder,
      ask(question) {
        child.stdin.write(`${JSON.stringify(question)}\n`);
        return next();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
