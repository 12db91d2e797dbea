/**
 * Stores the bounds of each image in a file, because a whole set takes hours: a stopped evaluation
 * continues from there.
 */
import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { Model } from '../../vnca/checkpoint.ts';
import { readIfThere, replaceFile } from '../large-files.ts';
import type { Images, Keep, OfImage } from './bounds.ts';
import { EvaluationError } from './errors.ts';

/** Raise it whenever the same seed gives different samples. */
const VERSION = 1;

const nats = v.pipe(v.number(), v.finite());
const ROW = v.strictTuple([nats, nats, nats]);

/**
 * Identifies the figures of a file: another model, image, sample count or seed needs another file.
 */
interface Measured {
  readonly model: Model;
  readonly images: Images;
  readonly samples: number;
  readonly seed: number;
}

/**
 * Opens or creates a file: a header line that says what is measured, then one line [ELBO,
 * importance-weighted bound, reconstruction] per image. An incomplete last line is dropped.
 *
 * @throws EvaluationError foreign-keep: the file belongs to something else; no-keep: it cannot be
 *   read or written
 */
export async function openKeep(file: string, measured: Measured): Promise<Keep> {
  const head = headOf(measured);
  const text = `${(await attempt(file, () => readIfThere(file))) ?? ''}`;
  const lines = text.split('\n').slice(0, -1);
  // A file with an incomplete header holds nothing yet.
  const isBegun = lines.length > 0 || !head.startsWith(text);
  if (isBegun && lines[0] !== head) {
    throw foreign(file, 'belongs to another model, other images, samples or another seed');
  }
  const known = lines.slice(1).map((line, i): OfImage => {
    const row = v.safeParse(v.pipe(v.string(), v.parseJson(), ROW), line);
    if (!row.success) throw foreign(file, `does not have three numbers in line ${i + 2}`);
    return row.output;
  });
  if (known.length > measured.images.count) throw foreign(file, 'has more images than there are');
  const whole = [head, ...lines.slice(1)].map((line) => `${line}\n`).join('');
  if (whole !== text) await attempt(file, () => replaceFile(file, [whole]));
  return {
    known,
    add: (more) =>
      attempt(file, () => appendFile(file, more.map((row) => `${JSON.stringify(row)}\n`).join(''))),
  };
}

function headOf({ model, images, samples, seed }: Measured): string {
  const { growth, update, readout, encoder, training } = model.card;
  const hash = createHash('sha256').update(
    JSON.stringify({ growth, update, readout, encoder, sigma: training.sigma }),
  );
  for (const [name, { shape, data }] of [...model.tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith('update.') && !name.startsWith('encoder.')) continue;
    hash.update(`${name} ${shape}`).update(bytes(data));
  }
  const checkpoint = hash.digest('hex');
  const pixels = createHash('sha256').update(bytes(images.pixels)).digest('hex');
  const { count } = images;
  return JSON.stringify({ version: VERSION, checkpoint, images: count, pixels, samples, seed });
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const foreign = (file: string, what: string): EvaluationError =>
  new EvaluationError('foreign-keep', `${file} ${what}: choose another file, or remove this one`);

async function attempt<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new EvaluationError('no-keep', `${file} cannot be used (${code ?? message})`);
  }
}
