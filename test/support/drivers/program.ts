/** Programs of this machine that run during a test. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

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
