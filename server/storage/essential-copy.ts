/**
 * A copy of the records that cannot be made up: the host's token, bans, plans and the rooms'
 * parameters. It is used if the data are damaged.
 */
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { Mutex } from '../platform/queues.ts';
import { decodeRecord, encodeRecord, isIntact } from './record-codec.ts';
import type { Records } from './records.ts';
import { spanOf } from './store.ts';

/** Name of the file, and key of its record. */
const NAME = 'essentials';
const PREFIXES = ['house/', 'plan/', 'room/'];

/** Reads the copy; empty if there is none or it is damaged. */
export async function readCopy(file: string): Promise<ReadonlyMap<string, Uint8Array>> {
  try {
    const bytes = decodeRecord(NAME, await readFile(file)) as [string, Uint8Array][];
    return new Map(bytes.filter(([key, value]) => isIntact(key, value)));
  } catch {
    return new Map();
  }
}

/** Updates the copy after each write that concerns it; a failure to do so is ignored. */
export async function withCopy<R extends Records>(records: R, file: string): Promise<R> {
  const mutex = new Mutex();
  const update = () =>
    mutex.runExclusive(async () => {
      const spans = PREFIXES.map((prefix) => records.list(spanOf(prefix)));
      const entries = (await Promise.all(spans)).flat().map(({ key, bytes }) => [key, bytes]);
      const draft = `${file}.new`;
      await writeFile(draft, encodeRecord(NAME, entries), { mode: 0o600 });
      await chmod(draft, 0o600);
      await rename(draft, file);
    });
  await update().catch(() => {});
  return {
    ...records,
    async write(write) {
      await records.write(write);
      const keys = [...(write.put ?? []).map(({ key }) => key), ...(write.remove ?? [])];
      const isEssential = keys.some((key) => PREFIXES.some((prefix) => key.startsWith(prefix)));
      if (isEssential) await update().catch(() => {});
    },
  };
}
