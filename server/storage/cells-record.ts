/**
 * The cells of one organism as a record. What heals comes near to what it was: the differences to
 * its cells in an earlier record, as those of integers, have mostly zeros in their upper bytes, and
 * compression finds them once bytes of the same significance stand together. The lower bytes have
 * no pattern.
 */
import * as v from 'valibot';
import { compressed } from './record-access.ts';
import type { Entry } from './records.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Size above which a difference is not worth its base, as a share of the cells' bytes. */
const MAX_DIFFERENCE = 0.7;

/** [stage, stage, C] in 32 bits, as rounded cells would grow differently. */
export const cellStates = v.custom<Float32Array>((value) => value instanceof Float32Array);

export const cellsRecord = v.strictObject({
  /** First byte of each word, then second byte of each, and so on; little-endian. */
  planes: v.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length % BYTES === 0,
  ),
  /** The words are differences to the cells of the same organism, stored at this tick. */
  base: v.optional(v.number()),
});
export type CellsRecord = v.InferOutput<typeof cellsRecord>;

/** Cells that are to be stored. */
export interface NewCells {
  readonly id: number;
  readonly state: Float32Array;
  /** Earlier cells, and the tick of their record, which has no base itself. */
  readonly base?: { readonly tick: number; readonly state: Float32Array } | undefined;
}

/** @returns the record, and the tick of its base if it needs one */
export async function encodeCells(
  key: string,
  { state, base }: NewCells,
): Promise<{ readonly entry: Entry; readonly base?: number }> {
  if (base && base.state.length === state.length) {
    const differences = minus(wordsOf(state), wordsOf(base.state));
    const entry = await compressed(key, { planes: planesOf(differences), base: base.tick });
    if (entry.bytes.length <= MAX_DIFFERENCE * state.byteLength) return { entry, base: base.tick };
  }
  return { entry: await compressed(key, { planes: planesOf(wordsOf(state)) }) };
}

/**
 * Decodes cells, bit for bit as they were.
 *
 * @param read returns the record's base
 */
export async function decodeCells(
  record: CellsRecord,
  read: (tick: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const words = wordsIn(record.planes);
  if (record.base === undefined) return new Float32Array(words.buffer);
  return new Float32Array(plus(words, wordsOf(await read(record.base))).buffer);
}

type Words = Int32Array<ArrayBuffer>;

const wordsOf = (state: Float32Array): Words => new Int32Array(state.slice().buffer);

/** Makes differences modulo 2³² of words; the sign is the lowest bit, so that small ones are small. */
function minus(words: Words, base: Words): Words {
  for (let i = 0; i < words.length; i++) {
    const difference = (words[i] - base[i]) | 0;
    words[i] = (difference << 1) ^ (difference >> 31);
  }
  return words;
}

/** The inverse of `minus`. */
function plus(differences: Words, base: Words): Words {
  for (let i = 0; i < differences.length; i++) {
    differences[i] = base[i] + ((differences[i] >>> 1) ^ -(differences[i] & 1));
  }
  return differences;
}

function planesOf({ buffer }: Words): Uint8Array {
  const bytes = new Uint8Array(buffer);
  const planes = new Uint8Array(bytes.length);
  for (let byte = 0, to = 0; byte < BYTES; byte++) {
    for (let from = byte; from < bytes.length; from += BYTES) planes[to++] = bytes[from];
  }
  return planes;
}

function wordsIn(planes: Uint8Array): Words {
  const bytes = new Uint8Array(planes.length);
  for (let byte = 0, from = 0; byte < BYTES; byte++) {
    for (let to = byte; to < bytes.length; to += BYTES) bytes[to] = planes[from++];
  }
  return new Int32Array(bytes.buffer);
}
