/** Persistent secrets of the server: random bytes in a file with mode 600. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from './record-codec.ts';

const LENGTH = 32;

/**
 * Reads a secret, or creates it.
 *
 * @param folder the data folder; undefined: the secret is not stored
 * @returns [32]
 * @throws StoreError not-writable
 */
export function storedSecret(folder: string | undefined, name: string): Uint8Array {
  if (folder === undefined) return randomBytes(LENGTH);
  const file = join(folder, name);
  try {
    const stored = readFileSync(file);
    if (stored.length === LENGTH) return stored;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw errorOf(file, error);
  }
  const secret = randomBytes(LENGTH);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, secret, { mode: 0o600 });
  } catch (error) {
    throw errorOf(file, error);
  }
  return secret;
}

function errorOf(file: string, error: unknown): StoreError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new StoreError('not-writable', `The file ${file} cannot be read or written (${code}).`);
}
