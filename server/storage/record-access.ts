/** What the store and its parts share: records with their schemas, and some of their keys. */
import * as v from 'valibot';
import { decodeRecord, encodeCompressed, encodeRecord, StoreError } from './record-codec.ts';
import type { Entry, Records } from './records.ts';

/** A number in a key, so that keys sort as numbers do. */
export const padded = (n: number): string => n.toString().padStart(12, '0');

/** The cells of an organism that were stored with the snapshot of a tick. */
export const cellsKey = (room: string, organism: number, tick: number): string =>
  `cells/${room}/${padded(organism)}/${padded(tick)}`;

/** What is kept of a room without waiting for the disk. */
export const recentKey = (room: string): string => `recent/${room}`;

/** Encodes a record. */
export function sealed(key: string, value: unknown): Entry {
  return { key, bytes: encodeRecord(key, value) };
}

/** Encodes and compresses a large record, in another thread. */
export async function compressed(key: string, value: unknown): Promise<Entry> {
  return { key, bytes: await encodeCompressed(key, value) };
}

/** Decodes a record. @throws StoreError damaged, other-version */
export function parsed<T>(key: string, bytes: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, decodeRecord(key, bytes), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue as never) ?? 'value';
  // It is as it was written, so not damaged.
  throw new StoreError(
    'other-version',
    `The record "${key}" is not in this server's format (${where}: ${issue.message}): choose another --data, or run the version that stored it.`,
  );
}

/**
 * Stores a record of the whole server, which `Store` reads, unless there is one.
 *
 * @returns whether it was stored; false: read what is there, which may be this one all the same
 * @throws StoreError
 */
export async function putNewServerRecord(
  records: Records,
  name: string,
  value: unknown,
): Promise<boolean> {
  const entry = sealed(`house/${name}`, value);
  if (records.putNew) return records.putNew(entry);
  if (await records.get(entry.key)) return false;
  await records.write({ put: [entry] });
  return true;
}
