/**
 * A strict reader of the safetensors format (https://github.com/huggingface/safetensors#format). A
 * file consists of the length of the header (eight bytes, little-endian), a JSON header, and the
 * tensors' bytes.
 *
 * To detect damage, the reader requires that every byte after the header belong to exactly one
 * tensor.
 */
import * as v from 'valibot';
import { count } from './common-schemas.ts';
import { fromHalf } from './half-floats.ts';

const ELEMENT_BYTES = { F32: 4, I32: 4, F16: 2, U8: 1 } as const;
type Dtype = keyof typeof ELEMENT_BYTES;
const entrySchema = v.object({
  dtype: v.picklist(Object.keys(ELEMENT_BYTES) as Dtype[]),
  shape: v.array(count),
  data_offsets: v.strictTuple([count, count]),
});

export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The elements in row-major order; undefined unless the dtype is F32 or F16. */
  readonly data: Float32Array | undefined;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;

/** Thrown for a file that is damaged or in another format. The message does not name the file. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

const fail = (what: string): never => {
  throw new SafetensorsError(what);
};

/**
 * Reads a complete safetensors file.
 *
 * @throws SafetensorsError
 */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (bytes.length < LENGTH_BYTES) {
    return fail(`file of ${bytes.length} bytes is too short for a header length`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (LENGTH_BYTES + headerLength > bytes.length) {
    const text = `a header of ${headerLength} bytes is too long for a file of ${bytes.length} bytes`;
    return fail(text);
  }
  const data = bytes.subarray(LENGTH_BYTES + headerLength);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerLength));

  const tensors = new Map<string, StoredTensor>();
  const ranges: Parameters<typeof checkCover>[0] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = checkMetadata(entry);
      continue;
    }
    const { dtype, shape, begin, end } = checkEntry(name, entry, data.length);
    ranges.push({ name, begin, end });
    tensors.set(name, { dtype, shape, data: numbersOf(dtype, data.subarray(begin, end)) });
  }
  checkCover(ranges, data.length);
  return { tensors, metadata };
}

function numbersOf(dtype: Dtype, bytes: Uint8Array): Float32Array | undefined {
  // Copy the bytes, because a view of a larger buffer may not be aligned for floats.
  const { buffer } = Uint8Array.from(bytes);
  if (dtype === 'F32') return new Float32Array(buffer);
  return dtype === 'F16' ? Float32Array.from(new Uint16Array(buffer), fromHalf) : undefined;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fail('header is not JSON');
  }
  return isObject(header) ? header : fail('header is not a JSON object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkMetadata(entry: unknown): Record<string, string> {
  if (!isObject(entry)) return fail('"__metadata__" is not an object');
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') return fail(`"__metadata__.${key}" is not a string`);
  }
  return entry as Record<string, string>;
}

function checkEntry(name: string, entry: unknown, dataLength: number) {
  const bad = (what: string): never => fail(`tensor "${name}": ${what}`);
  const parsed = v.safeParse(entrySchema, entry);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return bad(`${v.getDotPath(issue) ?? 'entry'} is wrong: ${issue.message}`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.output;
  const [begin, end] = offsets;
  if (begin > end || end > dataLength) {
    return bad(`data_offsets [${begin}, ${end}] are not within the ${dataLength} bytes of data`);
  }
  const size = shape.reduce((a, b) => a * b, ELEMENT_BYTES[dtype]);
  if (end - begin !== size) {
    const needed = `${dtype} data of shape [${shape.join(', ')}] need ${size} bytes`;
    return bad(`data_offsets span ${end - begin} bytes, but ${needed}`);
  }
  return { dtype, shape, begin, end };
}

function checkCover(
  ranges: { readonly name: string; readonly begin: number; readonly end: number }[],
  dataLength: number,
): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const range of ranges) {
    if (range.begin !== end) {
      fail(`tensor "${range.name}": data_offsets begin at ${range.begin} instead of ${end}`);
    }
    end = range.end;
  }
  if (end !== dataLength) fail(`no tensor covers the last ${dataLength - end} bytes of data`);
}

/** Selects the tensors of a file that have the dtype F32. */
export const float32Of = ({ tensors }: TensorFile): Map<string, Float32Tensor> =>
  new Map(
    [...tensors].flatMap(([name, { dtype, shape, data }]) =>
      dtype === 'F32' ? [[name, { shape, data: data! }]] : [],
    ),
  );

export interface Float32Tensor {
  readonly shape: readonly number[];
  /** The elements in row-major order. */
  readonly data: Float32Array;
}
