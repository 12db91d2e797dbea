/** Verifies the data of a folder before they are used. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askChild } from '../../platform/ask-child.ts';
import { StoreError } from '../store-error.ts';
import { freeBytes } from './space-guard.ts';
import { DATA_FILE } from './table.ts';

/** The result of a verification, as the probe sends it. */
export interface Findings {
  /** Keys of damaged records. */
  readonly damaged: readonly string[];
  /** Whether the records were copied to a new file. */
  readonly copied: boolean;
  /** Set if the data cannot be read at all. */
  readonly failure?: { readonly reason: 'damaged' | 'not-writable'; readonly message: string };
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Reads all records in a separate process, as a damaged file can crash the process that reads it.
 *
 * @param options.renew replaces the file by a copy of its records; nobody may have the folder open
 * @returns keys of damaged records
 * @throws StoreError damaged: the data cannot be read; not-writable
 */
export async function inspect(folder: string, { renew = false } = {}): Promise<readonly string[]> {
  const file = join(folder, DATA_FILE);
  const fresh = join(folder, 'fresh');
  if (renew) rmSync(fresh, { recursive: true, force: true });
  if (!existsSync(file)) return [];
  if (!renew || !hasSpace(folder, file)) return (await probe(folder)).damaged;
  mkdirSync(fresh);
  try {
    const { damaged, copied } = await probe(folder, fresh);
    if (copied) renameSync(join(fresh, DATA_FILE), file);
    return damaged;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Whether the disk has space for a copy of a file, with a margin. */
function hasSpace(folder: string, file: string): boolean {
  return freeBytes(folder) > 1.5 * statSync(file).size;
}

async function probe(folder: string, ...fresh: string[]): Promise<Findings> {
  const module = new URL('./probe.mjs', import.meta.url);
  const findings = await askChild<Findings>(module, [folder, ...fresh], {
    cwd: root,
    execArgv: [],
  }).catch(({ message }: Error) => {
    const how = `reading them failed (${message})`;
    throw new StoreError('damaged', `The data in ${folder} are damaged: ${how}.`);
  });
  const { failure } = findings;
  if (failure) throw new StoreError(failure.reason, failure.message);
  return findings;
}
