/**
 * Loads checkpoint folders. A folder contains `card.json`, `model.safetensors`, `gallery.png` and
 * optional files. Each file is checked when it is loaded.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parsePainter } from '../../shared/painter/net.ts';
import {
  type Float32Tensor,
  float32Of,
  readSafetensors,
  SafetensorsError,
  type TensorFile,
} from '../../shared/safetensors.ts';
import { misfitOf, updateShapes } from './architecture.ts';
import { type Card, CheckpointError, parseCard } from './card.ts';
import { GALLERY_FILE, gallerySheet } from './gallery.ts';

/**
 * Returns a checkpoint's fingerprint: the SHA-256 hash, in hexadecimal, of the weights and of the
 * card properties that affect the cells in a room.
 */
export function fingerprint({ card, tensors }: Model): string {
  const { side, channels, latentSize, growth, update, readout, presence, trustedSteps } = card;
  const size = { side, channels, latentSize };
  const names = card.gallery.map(({ name }) => name);
  const use = { ...size, growth, update, readout, presence, trustedSteps, names };
  const hash = createHash('sha256').update(JSON.stringify(use));
  for (const [name, { shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${shape}`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Returns the name by which tokens (seeds as text) and cards refer to a checkpoint's weights: the
 * first 8 digits of the fingerprint.
 */
export const identityOf = (model: Model): string => fingerprint(model).slice(0, 8);

export const PAINTER_FILE = 'painter.safetensors';

/**
 * Reads and checks the file of a checkpoint's painter.
 *
 * @param folder the checkpoint's folder
 * @returns the file's content; undefined if the file does not exist
 * @throws CheckpointError 'corrupt-file' if the file is not a painter, or 'missing-file' if the
 * file exists but cannot be read
 */
export async function readPainter(folder: string): Promise<Buffer | undefined> {
  const file = join(folder, PAINTER_FILE);
  const bytes = await readIfPresent(file);
  if (!bytes) return undefined;
  try {
    parsePainter(bytes);
  } catch (error) {
    throw new CheckpointError('corrupt-file', file, (error as Error).message);
  }
  return bytes;
}

/** Prefix of the server paths from which web pages load painters. */
export const PAINTERS = '/painters';

/**
 * Returns the server path of a painter. The path contains a hash of the painter's content, so
 * browsers may cache the content without a time limit.
 *
 * @param painter content of the painter's file
 */
export function painterPath(painter: Buffer): string {
  const hash = createHash('sha256').update(painter).digest('hex');
  return `${PAINTERS}/${hash.slice(0, 16)}`;
}

/** Maps the server path of each painter to the painter's file content. */
export const paintersByPath = (
  checkpoints: readonly { readonly painter?: Buffer | undefined }[],
): ReadonlyMap<string, Buffer> =>
  new Map(checkpoints.flatMap(({ painter }) => (painter ? [[painterPath(painter), painter]] : [])));

/** A card and its weights. */
export interface Model {
  readonly card: Card;
  /**
   * All float32 tensors of the checkpoint, by name: the weights of the nets, and the latents of the
   * G gallery entries (`gallery.latents`, [G, Z]).
   */
  readonly tensors: ReadonlyMap<string, Float32Tensor>;
}

export interface Checkpoint extends Model {
  readonly folder: string;
  /** Content of the painter's file; absent if the checkpoint has no painter. */
  readonly painter?: Buffer;
}

export const CARD_FILE = 'card.json';
export const MODEL_FILE = 'model.safetensors';
const GALLERY_TENSOR = 'gallery.latents';

/**
 * Loads a checkpoint and checks it.
 *
 * @param options.onBadPainter called with an error message if the painter cannot be used; the
 *   checkpoint is then loaded without a painter. If absent, an unusable painter makes loading fail
 * @throws CheckpointError if the checkpoint cannot be loaded
 */
export async function loadCheckpoint(
  folder: string,
  { onBadPainter }: { readonly onBadPainter?: (message: string) => void } = {},
): Promise<Checkpoint> {
  const model = await loadModel(folder);
  if (model.card.update.kind === 'decoder') {
    const what =
      'field "update.kind": a decoder has no cells that grow, so use it only with "npm run evaluate"';
    throw new CheckpointError('bad-card', join(folder, CARD_FILE), what);
  }
  await checkGallery(join(folder, GALLERY_FILE), model.card);
  const painter = await readPainter(folder).catch((error: Error) => {
    if (!onBadPainter) throw error;
    onBadPainter(error.message);
    return undefined;
  });
  return { ...model, folder, ...(painter && { painter }) };
}

/**
 * Loads only a checkpoint's card and weights, for tools that create the other files of the
 * checkpoint's folder.
 *
 * @throws CheckpointError if the card or the weights cannot be loaded
 */
export async function loadModel(folder: string): Promise<Model> {
  const cardFile = join(folder, CARD_FILE);
  const card = parseCard(parseJson(await read(cardFile), cardFile, 'card'), cardFile);
  const modelFile = join(folder, MODEL_FILE);
  const model = { card, tensors: readTensors(await read(modelFile), modelFile, card) };
  checkIdentity(folder, model);
  return model;
}

/**
 * Checks that a checkpoint's weights belong to its card. An interrupted copy of a checkpoint folder
 * may leave the card of one checkpoint with the weights of another.
 *
 * @throws CheckpointError 'bad-card' if the weights do not belong to the card
 */
function checkIdentity(folder: string, model: Model): void {
  const { identity } = model.card;
  if (identity === undefined) return;
  const hash = fingerprint(model);
  // A folder named after the fingerprint is a room's copy of a checkpoint. The name shows that card
  // and weights belong together. The identity in the card may still be wrong if somebody edited
  // the card before it was copied.
  if (hash.startsWith(identity) || basename(folder) === hash) return;
  const what = `is "${identity}", but the identity computed from card and weights is "${hash.slice(0, 8)}"`;
  const next =
    'install the whole folder again, or, if you edited the card on purpose, set the field to the computed identity';
  const text = `field "identity": ${what}; ${next}`;
  throw new CheckpointError('bad-card', join(folder, CARD_FILE), text);
}

/**
 * Returns a copy of a gallery entry's latent, [Z].
 *
 * @throws RangeError if the gallery has no entry with this index
 */
export function galleryLatent({ card, tensors }: Model, index: number): Float32Array {
  if (!Number.isInteger(index) || index < 0 || index >= card.gallery.length) {
    throw new RangeError(`gallery of ${card.gallery.length} has no entry ${index}`);
  }
  const { data } = tensors.get(GALLERY_TENSOR)!;
  return data.slice(index * card.latentSize, (index + 1) * card.latentSize);
}

/**
 * Reads an optional file of a checkpoint. Returns undefined if the file does not exist.
 *
 * @throws CheckpointError 'missing-file' if the file exists but cannot be read
 */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch(({ code = 'unknown' }: NodeJS.ErrnoException) => {
    if (code === 'ENOENT') return undefined;
    throw new CheckpointError('missing-file', file, `file cannot be read (${code})`);
  });
}

/**
 * Reads a required file of a checkpoint.
 *
 * @throws CheckpointError 'missing-file' if the file does not exist or cannot be read
 */
async function read(file: string): Promise<Buffer> {
  const bytes = await readIfPresent(file);
  if (bytes) return bytes;
  throw new CheckpointError('missing-file', file, 'file cannot be read (ENOENT)');
}

/**
 * Parses the content of a JSON file.
 *
 * @param what name of the content, for error messages
 * @throws CheckpointError 'bad-card' if the content is not JSON
 */
export function parseJson(bytes: Uint8Array, file: string, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new CheckpointError('bad-card', file, `${what} is not JSON`);
  }
}

function readTensors(bytes: Uint8Array, file: string, card: Card): Map<string, Float32Tensor> {
  const needed = updateShapes(card).set(GALLERY_TENSOR, [card.gallery.length, card.latentSize]);
  const tensors = float32Of(parseSafetensors(bytes, file));
  const misfit = misfitOf(tensors, needed);
  if (misfit) throw new CheckpointError('bad-tensor', file, misfit);
  for (const [name, { data }] of tensors) {
    if (data.every(Number.isFinite)) continue;
    const what = `tensor "${name}" contains a number that is not finite`;
    throw new CheckpointError('bad-tensor', file, what);
  }
  return tensors;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

async function checkGallery(file: string, card: Card): Promise<void> {
  const bytes = await read(file);
  const isPng = bytes.length >= 24 && PNG_SIGNATURE.every((byte, i) => bytes[i] === byte);
  if (!isPng) throw new CheckpointError('bad-gallery', file, 'file is not a PNG');
  // In a PNG file, the width is stored at byte 16, and the height at byte 20.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const sheet = gallerySheet(card);
  if (width !== sheet.width || height !== sheet.height) {
    const text = `the picture has ${width} × ${height} pixels, but must have ${sheet.width} × ${sheet.height} to show the gallery in the card`;
    throw new CheckpointError('bad-gallery', file, text);
  }
}

/**
 * Parses the content of a file in the safetensors format.
 *
 * @param file name of the file, for error messages
 * @throws CheckpointError 'corrupt-file' if the content is malformed
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
 * Serializes tensors in the safetensors format. The header is padded with spaces, so that the
 * tensors' data begins at a multiple of eight bytes.
 *
 * @throws RangeError if the number of values in a tensor does not fit its shape
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Pick<Float32Tensor, 'shape'> & { data: Float32Array | Uint16Array }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const fields: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) fields.push(['__metadata__', metadata]);
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    if (shape.reduce((a, b) => a * b, 1) !== data.length) {
      throw new RangeError(`tensor "${name}" has the shape [${shape}], but ${data.length} numbers`);
    }
    const end = offset + data.byteLength;
    const dtype = data.BYTES_PER_ELEMENT === 2 ? 'F16' : 'F32';
    fields.push([name, { dtype, shape: [...shape], data_offsets: [offset, end] }]);
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
