/** Checksums of a kept checkpoint's files. They reveal damage that loading does not. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Has a line per file, as `sha256sum` writes it, after a line with the checksum of those lines. */
export const SUMS_FILE = 'SHA256SUMS';

const sumOf = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Computes a file's SHA-256, hexadecimal; undefined if it cannot be read. */
export const sumOfFile = (path: string): Promise<string | undefined> =>
  readFile(path).then(sumOf, () => undefined);

/** Stores the checksums of a folder's files, except missing ones. @throws the system's error */
export async function writeSums(folder: string, files: readonly string[]): Promise<void> {
  const sums: string[] = [];
  for (const file of files) {
    const sum = await sumOfFile(join(folder, file));
    if (sum) sums.push(`${sum}  ${file}`);
  }
  const text = sums.join('\n');
  await writeFile(join(folder, SUMS_FILE), `${sumOf(text)}\n${text}`);
}

/**
 * Finds the files of a folder that have changed since `writeSums`.
 *
 * @returns their stored checksums by name; undefined if the checksums are missing or damaged
 */
export async function changedFiles(folder: string): Promise<Map<string, string> | undefined> {
  const stored = await readFile(join(folder, SUMS_FILE), 'utf8').catch(() => '');
  const [own, ...lines] = stored.split('\n');
  if (sumOf(lines.join('\n')) !== own) return undefined;
  const changed = new Map<string, string>();
  for (const line of lines) {
    const [sum, file] = line.split('  ');
    if ((await sumOfFile(join(folder, file))) !== sum) changed.set(file, sum);
  }
  return changed;
}
