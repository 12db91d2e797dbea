/** A bug in a bottle: a stretch of a room's life as one file, to be done again on any machine with the same checkpoint. */
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as v from 'valibot';
import { StoreError } from '../store/errors.ts';
import { seal, unseal } from '../store/seal.ts';
import { type Stretch, stretch } from './source.ts';

/** Stands in for a record's key in the checksum. */
const KEY = 'vivarium bottle';
/** Longest content, bytes: a small file must not fill the memory. */
const LONGEST = 1_000_000_000;

/** A bottle as bytes. */
export function packBottle(content: Stretch): Promise<Buffer> {
  return promisify(gzip)(seal(KEY, content));
}

export async function writeBottle(file: string, content: Stretch): Promise<void> {
  await writeFile(file, await packBottle(content));
}

/** @throws StoreError not-kept: no such file; damaged; other-version */
export async function readBottle(file: string): Promise<Stretch> {
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
  const result = v.safeParse(stretch, unseal(KEY, bytes), { abortEarly: true });
  if (!result.success) throw damaged(result.issues[0].message);
  return result.output as Stretch;
}
