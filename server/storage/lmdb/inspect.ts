/** Verifies the data of a folder before they are used. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askChild } from '../../platform/ask-child.ts';
import { StoreError } from '../store-error.ts';
import { DATA_FILE } from './environment.ts';
import { hasOpened } from './recover-table.ts';
import { freeBytes } from './space-guard.ts';
import { WITNESS_FILE } from './witness.ts';
import { LOG_FILE, syncFolder } from './write-ahead-log.ts';

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
    if (copied) {
      renameSync(join(fresh, DATA_FILE), file);
      // The log begins anew after it, so the former file must not come back.
      syncFolder(folder);
    }
    return damaged;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Longest time for one attempt to read a damaged file, ms. */
const RECOVER_PATIENCE = 300_000;
/** Crashes of the reading process after which a file is given up. */
const MAX_CRASHES = 40;

/**
 * Replaces a damaged file by a copy of what can still be read of it. Nobody may have the folder
 * open.
 *
 * @param aside receives the damaged file; must not exist
 * @param rooms names of rooms that may be stored there
 * @returns keys of damaged records, which the copy lacks; undefined: there is no space for a copy
 */
export async function recoverFile(
  folder: string,
  aside: string,
  rooms: readonly string[],
): Promise<readonly string[] | undefined> {
  const file = join(folder, DATA_FILE);
  const fresh = join(folder, 'fresh');
  if (existsSync(file) && !hasSpace(folder, file)) return undefined;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  const damaged: string[] = [];
  for (let crashes = 0; crashes < MAX_CRASHES; crashes++) {
    const found = await probe(folder, fresh, 'recover', ...rooms).catch(() => undefined);
    damaged.push(...(found?.damaged ?? []));
    if (found || !hasOpened(fresh)) break;
  }
  mkdirSync(aside, { recursive: true });
  for (const name of [DATA_FILE, WITNESS_FILE, LOG_FILE]) {
    if (existsSync(join(folder, name))) renameSync(join(folder, name), join(aside, name));
    if (existsSync(join(fresh, name))) renameSync(join(fresh, name), join(folder, name));
  }
  rmSync(join(folder, 'lock.mdb'), { force: true });
  rmSync(fresh, { recursive: true, force: true });
  return damaged;
}

/** Whether the disk has space for a copy of a file, with a margin. */
function hasSpace(folder: string, file: string): boolean {
  return freeBytes(folder) > 1.5 * statSync(file).size;
}

async function probe(folder: string, ...more: string[]): Promise<Findings> {
  const module = new URL('./probe.mjs', import.meta.url);
  const findings = await askChild<Findings>(module, [folder, ...more], {
    cwd: root,
    execArgv: [],
    ...(more.includes('recover') && { patience: RECOVER_PATIENCE }),
  }).catch(({ message }: Error) => {
    const how = `reading them failed (${message})`;
    throw new StoreError('damaged', `The data in ${folder} are damaged: ${how}.`);
  });
  const { failure } = findings;
  if (failure) throw new StoreError(failure.reason, failure.message);
  return findings;
}
