/** Sums of a kept checkpoint's files: they show damage with which a file still loads. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Lines as `sha256sum` writes them, after a line with the sum of those lines. */
export const SUMS_FILE = 'SHA256SUMS';

const sumOf = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of a file, hexadecimal; undefined if it cannot be read. */
export const sumOfFile = (path: string): Promise<string | undefined> =>
  readFile(path).then(sumOf, () => undefined);

/** Stores the sums of those files that a folder has. @throws the system's error */
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
 * @returns their sums of that time by name; undefined if the sums are missing or damaged
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
