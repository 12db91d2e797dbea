/**
 * Replay bundles: a range of a room's journal in one file, which any machine with the checkpoint
 * can replay.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as v from 'valibot';
import { decodeRecord, encodeRecord } from '../storage/record-codec.ts';
import { StoreError } from '../storage/store-error.ts';
import { type JournalRange, journalRangeSchema } from './journal-range.ts';

/** Stands in for a record's key in the checksum; the name that bundles had when it was chosen. */
const KEY = 'vivarium bottle';
/** Limit of the decompressed size, bytes: a small file must not exhaust memory. */
const MAX_BYTES = 1_000_000_000;

/** Serializes a range. */
export function packBundle(content: JournalRange): Promise<Buffer> {
  return promisify(gzip)(encodeRecord(KEY, content));
}

/** Writes a range to a file. */
export async function writeBundle(file: string, content: JournalRange): Promise<void> {
  await writeFile(file, await packBundle(content));
}

/** Reads a bundle. @throws StoreError not-kept: the file cannot be read; damaged; other-version */
export async function readBundle(file: string): Promise<JournalRange> {
  const packed = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new StoreError('not-kept', `The file ${file} cannot be read (${error.code}).`);
  });
  const damaged = (why: string): StoreError =>
    new StoreError('damaged', `The file ${file} is not a complete replay bundle: ${why}.`);
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: MAX_BYTES }).catch(
    (error: Error) => {
      throw damaged(error.message);
    },
  );
  const result = v.safeParse(journalRangeSchema, decodeRecord(KEY, bytes), { abortEarly: true });
  if (!result.success) throw damaged(result.issues[0].message);
  return result.output;
}
