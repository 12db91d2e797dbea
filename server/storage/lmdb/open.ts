/** Records in a folder. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Records } from '../records.ts';
import { StoreError } from '../store-error.ts';
import { inspect } from './inspect.ts';
import { lockFolder } from './lock.ts';
import { startTable } from './thread.ts';

export interface FolderRecords extends Records {
  /** Keys of records that are not as they were written. */
  readonly damaged: readonly string[];
}

/**
 * Opens a folder's records, for this server alone; makes the folder where there is none.
 *
 * @throws StoreError not-writable, in-use, damaged
 */
export async function openFolder(folder: string): Promise<FolderRecords> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new StoreError('not-writable', `The folder ${folder} cannot be made (${code}).`);
  }
  const release = await lockFolder(folder);
  try {
    const damaged = await inspect(resolve(folder), { renew: true });
    const records = await startTable({ folder, readOnly: false });
    return {
      ...records,
      damaged,
      async close() {
        await records.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * As `openFolder`, for sealed records, of which all must be whole that there are no others of.
 *
 * @throws StoreError not-writable, in-use, damaged
 */
export async function openSound(folder: string): Promise<FolderRecords> {
  const records = await openFolder(folder);
  try {
    checkDamage(folder, records.damaged);
    return records;
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** For those who only look, also while a server is at work. @throws StoreError damaged, not-kept */
export async function readFolder(folder: string): Promise<FolderRecords> {
  const damaged = await inspect(resolve(folder));
  return { ...(await startTable({ folder, readOnly: true })), damaged };
}

/** Of these there are others to go back to. */
const SPARE = /^(snapshot|state|cells)\//;

/** @throws StoreError damaged: something of which there is only one */
function checkDamage(folder: string, damaged: readonly string[]): void {
  const sole = damaged.filter((key) => !SPARE.test(key));
  if (sole.length === 0) return;
  throw new StoreError(
    'damaged',
    `The data in ${folder} are damaged: ${sole.length} records of which there is no other, the first "${sole[0]}".`,
  );
}
