/** Reads a whole store, and copies it where that is wanted, in a process of its own: what a damaged file does to a process ends this one alone. */

import { isIntact } from '../record-codec.ts';
import { StoreError } from '../store-error.ts';
import type { Findings } from './inspect.ts';
import { after, copyTable, LAST, openTable, PART } from './table.ts';

/** Keys that hold no sealed record begin with it. */
const OWN = '!';
async function look(folder: string, fresh: string | undefined): Promise<Findings> {
  try {
    const table = openTable(folder, { readOnly: true });
    const damaged: string[] = [];
    let count = 0;
    for (let from = ''; ; ) {
      const entries = table.list({ from, to: LAST, limit: PART });
      count += entries.length;
      for (const { key, bytes } of entries) {
        if (typeof key !== 'string') damaged.push('a key that is none');
        else if (!key.startsWith(OWN) && !isIntact(key, bytes)) damaged.push(key);
      }
      if (entries.length < PART) break;
      from = after(entries.at(-1)!.key);
    }
    if (count !== table.count()) {
      throw new Error(`there are ${count} records, and should be ${table.count()}`);
    }
    // Where there is no room for a copy, the file itself has to do.
    const copied =
      fresh !== undefined &&
      (await copyTable(table, fresh).then(
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

const [, , folder, fresh] = process.argv;
process.send!(await look(folder, fresh), () => process.exit(0));
