/** The safetensors format of checkpoints: reads it with the file's name, and writes it. */
import {
  type Float32Tensor,
  readSafetensors,
  SafetensorsError,
  type TensorFile,
} from '../../shared/safetensors.ts';
import { CheckpointError } from './card.ts';

/**
 * Reads a whole file.
 *
 * @param file name for messages
 * @throws CheckpointError corrupt-file
 */
export function parseSafetensors(bytes: Uint8Array, file: string): TensorFile {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new CheckpointError('corrupt-file', file, error.message);
  }
}

const LENGTH_BYTES = 8;

/**
 * Writes a file that `parseSafetensors` reads, with the header padded with spaces, so that every
 * tensor is aligned.
 *
 * @throws RangeError a tensor's numbers do not fit its shape
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Float32Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const fields: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) fields.push(['__metadata__', metadata]);
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    if (shape.reduce((a, b) => a * b, 1) !== data.length) {
      throw new RangeError(`tensor "${name}": ${data.length} numbers do not fit shape [${shape}]`);
    }
    const end = offset + data.byteLength;
    fields.push([name, { dtype: 'F32', shape: [...shape], data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const header = new TextEncoder().encode(`{${json.join(',')}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + padded + offset).fill(0x20, 0, LENGTH_BYTES + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + padded;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
