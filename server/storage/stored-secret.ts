/** Secrets of this server that outlive it: random bytes in a file that nobody else may read. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from './store-error.ts';

const LENGTH = 32;

/**
 * Reads a secret, or makes it.
 *
 * @param folder where rooms are kept; undefined: a secret of this process alone
 * @returns [32]
 * @throws StoreError not-writable
 */
export function storedSecret(folder: string | undefined, name: string): Uint8Array {
  if (folder === undefined) return randomBytes(LENGTH);
  const file = join(folder, name);
  try {
    const kept = readFileSync(file);
    if (kept.length === LENGTH) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(file, error);
  }
  const secret = randomBytes(LENGTH);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, secret, { mode: 0o600 });
  } catch (error) {
    throw unreadable(file, error);
  }
  return secret;
}

function unreadable(file: string, error: unknown): StoreError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new StoreError('not-writable', `The file ${file} cannot be kept (${code}).`);
}
