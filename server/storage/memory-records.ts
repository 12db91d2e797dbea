/** Records in memory, for `--data none` and tests; the reference for other implementations. */
import type { Entry, Records, Span, Write } from './records.ts';
import { StoreError } from './store-error.ts';

/** What is kept apart from the records of a map. */
const unsynced = new WeakMap<Map<string, Uint8Array>, Map<string, Uint8Array[]>>();

/** Opens records in memory. @param stored holds them; pass the same map to open them again */
export function openMemory(stored = new Map<string, Uint8Array>()): Records {
  let closed = false;
  const apart = unsynced.get(stored) ?? new Map<string, Uint8Array[]>();
  unsynced.set(stored, apart);
  const check = (): void => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
  };
  const list = ({ from, to, backwards, limit = Infinity }: Span): Entry[] => {
    const keys = [...stored.keys()].filter((key) => key >= from && key < to).sort();
    if (backwards) keys.reverse();
    return keys.slice(0, limit).map((key) => ({ key, bytes: stored.get(key)!.slice() }));
  };
  return {
    async get(key) {
      check();
      return stored.get(key)?.slice();
    },
    async list(span) {
      check();
      return list(span);
    },
    async keys(span) {
      check();
      return list(span).map(({ key }) => key);
    },
    async write({ put = [], remove = [] }: Write) {
      check();
      for (const { key, bytes } of put) stored.set(key, bytes.slice());
      for (const key of remove) stored.delete(key);
    },
    async putUnsynced(key, parts) {
      check();
      const copies = parts.map((part) => part.slice());
      if (copies.length > 0) apart.set(key, copies);
      else apart.delete(key);
    },
    async getUnsynced(key) {
      check();
      return apart.get(key)?.map((part) => part.slice());
    },
    async size() {
      check();
      return [...stored.values()].reduce((sum, { length }) => sum + length, 0);
    },
    async close() {
      closed = true;
    },
  };
}
