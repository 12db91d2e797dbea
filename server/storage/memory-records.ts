/** Records that last as long as the process: for tests, and as the measure of what others must do. */

import type { Entry, Records, Span, Write } from './records.ts';
import { StoreError } from './store-error.ts';

/** @param kept goes on being used: another one given the same map has the same records */
export function openMemory(kept = new Map<string, Uint8Array>()): Records {
  let closed = false;
  const check = (): void => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
  };
  const list = ({ from, to, backwards, limit = Infinity }: Span): Entry[] => {
    const keys = [...kept.keys()].filter((key) => key >= from && key < to).sort();
    if (backwards) keys.reverse();
    return keys.slice(0, limit).map((key) => ({ key, bytes: kept.get(key)!.slice() }));
  };
  return {
    async get(key) {
      check();
      return kept.get(key)?.slice();
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
      for (const { key, bytes } of put) kept.set(key, bytes.slice());
      for (const key of remove) kept.delete(key);
    },
    async size() {
      check();
      return [...kept.values()].reduce((sum, { length }) => sum + length, 0);
    },
    async close() {
      closed = true;
    },
  };
}
