/**
 * Main script of a process that verifies a data folder and, on request, copies or recovers the
 * folder's records. Runs separately from the server, because reading a damaged file may crash the
 * process.
 */
import { isIntact, StoreError } from '../records.ts';
import { type Findings, recoverTable } from './repair.ts';
import { entriesOf, openTable, writeCopy } from './table.ts';

/** Key prefix of records that only the storage code uses. These records have no checksum. */
const INTERNAL = '!';

async function verify(folder: string, fresh: string | undefined): Promise<Findings> {
  const table = openTable(folder, { readOnly: true, live: fresh === undefined });
  const damaged: string[] = [];
  let count = 0;
  for (const { key, bytes } of entriesOf(table)) {
    count++;
    if (typeof key !== 'string') damaged.push('an invalid key');
    else if (!key.startsWith(INTERNAL) && !isIntact(key, bytes)) damaged.push(key);
  }
  if (count !== table.count()) {
    throw new Error(
      `${count} records could be read, but the file should contain ${table.count()} records`,
    );
  }
  if (fresh === undefined) return { damaged, copied: false };
  const copy = writeCopy(table, fresh);
  // If copying fails, for example for lack of space, the server continues to use the file that it
  // could not copy.
  const copied = await copy.then(
    () => true,
    () => false,
  );
  return { damaged, copied };
}

const [, , folder, fresh, mode, ...rooms] = process.argv;

async function find(): Promise<Findings> {
  try {
    if (mode !== 'recover') return await verify(folder, fresh);
    return { damaged: await recoverTable(folder, fresh, rooms), copied: true };
  } catch (error) {
    const { message, reason } = error as StoreError;
    const isOurs = error instanceof StoreError;
    return {
      ...{ damaged: [], copied: false },
      failure: {
        reason: isOurs && reason === 'not-writable' ? reason : 'damaged',
        message: isOurs ? message : `The data in ${folder} are damaged: ${message}.`,
      },
    };
  }
}

process.send!(await find(), () => process.exit(0));
