/** A bug in a bottle: a stretch of a room's life as one file, to be done again on any machine with the same checkpoint. */
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as v from 'valibot';
import { decodeRecord, encodeRecord } from '../storage/record-codec.ts';
import { StoreError } from '../storage/store-error.ts';
import { type JournalRange, journalRangeSchema } from './journal-range.ts';

/** Stands in for a record's key in the checksum. */
const KEY = 'vivarium bottle';
/** Longest content, bytes: a small file must not fill the memory. */
const LONGEST = 1_000_000_000;

/** A bottle as bytes. */
export function packBundle(content: JournalRange): Promise<Buffer> {
  return promisify(gzip)(encodeRecord(KEY, content));
}

export async function writeBundle(file: string, content: JournalRange): Promise<void> {
  await writeFile(file, await packBundle(content));
}

/** @throws StoreError not-kept: no such file; damaged; other-version */
export async function readBundle(file: string): Promise<JournalRange> {
  const packed = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new StoreError('not-kept', `The file ${file} cannot be read (${error.code}).`);
  });
  const damaged = (why: string): StoreError =>
    new StoreError('damaged', `The file ${file} is no whole bottle: ${why}.`);
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: LONGEST }).catch(
    (error: Error) => {
      throw damaged(error.message);
    },
  );
  const result = v.safeParse(journalRangeSchema, decodeRecord(KEY, bytes), { abortEarly: true });
  if (!result.success) throw damaged(result.issues[0].message);
  return result.output as JournalRange;
}
