/**
 * A Python process that has torch, asked line by line in JSON, so that it can be timed in turn with
 * ours.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from './options.ts';

export interface Python {
  /** What the script says first. */
  readonly hello: unknown;
  /** A folder for files that both read and write; gone once it is closed. */
  readonly folder: string;
  /** @throws Error the process ended, with its last words */
  ask(question: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** The system's own too: what comes first in the path may be another one, without its packages. */
const INTERPRETERS = ['python3', '/usr/bin/python3'];

/**
 * Starts a script that answers each line of JSON with one, having said hello with one.
 *
 * @returns undefined, having said so, where no python3 has torch
 */
export async function startPython(script: string, log: Log): Promise<Python | undefined> {
  const python = INTERPRETERS.find(
    (name) => spawnSync(name, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
  );
  if (!python) {
    log('PyTorch is not compared with, because no python3 here has torch.');
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
  // A process that is gone cannot be asked; its last words are told below.
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
