/**
 * Verifies, and optionally copies or recovers, a store in a separate process, as a damaged file may
 * crash it.
 */
import { isIntact, StoreError } from '../records.ts';
import { type Findings, recoverTable } from './inspect.ts';
import { entriesOf, openTable, writeCopy } from './table.ts';

/** Prefix of keys whose values have no checksum of `record-codec`. */
const INTERNAL = '!';

async function verify(folder: string, fresh: string | undefined): Promise<Findings> {
  try {
    const table = openTable(folder, { readOnly: true, live: fresh === undefined });
    const damaged: string[] = [];
    let count = 0;
    for (const { key, bytes } of entriesOf(table)) {
      count++;
      if (typeof key !== 'string') damaged.push('an invalid key');
      else if (!key.startsWith(INTERNAL) && !isIntact(key, bytes)) damaged.push(key);
    }
    if (count !== table.count()) {
      throw new Error(`there are ${count} records instead of ${table.count()}`);
    }
    // Without space for a copy, the file itself is used.
    const copied =
      fresh !== undefined &&
      (await writeCopy(entriesOf(table), table.writes(), fresh).then(
        () => true,
        () => false,
      ));
    return { damaged, copied };
  } catch (error) {
    const { message } = error as Error;
    const reason = error instanceof StoreError ? error.reason : 'damaged';
    return {
      damaged: [],
      copied: false,
      failure: {
        reason: reason === 'not-writable' ? reason : 'damaged',
        message:
          error instanceof StoreError ? message : `The data in ${folder} are damaged: ${message}.`,
      },
    };
  }
}

async function recoverFile(folder: string, fresh: string, rooms: string[]): Promise<Findings> {
  return { damaged: await recoverTable(folder, fresh, rooms), copied: true };
}

const [, , folder, fresh, mode, ...rooms] = process.argv;
const findings =
  mode === 'recover' ? await recoverFile(folder, fresh, rooms) : await verify(folder, fresh);
process.send!(findings, () => process.exit(0));
