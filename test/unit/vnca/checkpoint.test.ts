import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import {
  fingerprint,
  galleryLatent,
  loadCheckpoint,
  loadModel,
  writeSafetensors,
} from '../../../server/vnca/checkpoint.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { modelOf, tinyCard, tinyCardJson } from './tiny-model.ts';

const newFolder = temporaryFolder();
let folder = '';

beforeEach(async () => {
  folder = newFolder();
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson()));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(stored()));
  await writeFile(join(folder, 'gallery.png'), png(24 * 16, 16));
});

const stored = (): Map<string, Float32Tensor> => new Map(modelOf(tinyCard()).tensors);

function png(width: number, height: number): Buffer {
  return PNG.sync.write(new PNG({ width, height }));
}

async function expectFailure(reason: string, file: string, what: string): Promise<void> {
  await expect(loadCheckpoint(folder)).rejects.toMatchObject({
    ...{ name: 'CheckpointError', reason, file: join(folder, file) },
    message: expect.stringContaining(`${join(folder, file)}: ${what}`),
  });
}

test('a complete folder loads', async () => {
  const checkpoint = await loadCheckpoint(folder);
  expect(checkpoint.folder).toBe(folder);
  expect(checkpoint.card).toEqual(tinyCard());
  expect(checkpoint.tensors).toEqual(modelOf(tinyCard()).tensors);
});

test('gallery latents are copies of their rows', async () => {
  const checkpoint = await loadCheckpoint(folder);
  const { data } = checkpoint.tensors.get('gallery.latents')!;
  const latent = galleryLatent(checkpoint, 1);
  expect(latent).toEqual(data.slice(6, 12));
  latent.fill(0);
  expect(galleryLatent(checkpoint, 1)).toEqual(data.slice(6, 12));
  for (const index of [-1, 2, 0.5, Number.NaN]) {
    expect(() => galleryLatent(checkpoint, index)).toThrow(RangeError);
  }
});

test.each(['card.json', 'model.safetensors', 'gallery.png'])('%s must be there', async (file) => {
  await rm(join(folder, file));
  await expectFailure('missing-file', file, 'file cannot be read (ENOENT)');
});

test.each([
  ['{"version":', 'card is not JSON'],
  [JSON.stringify(tinyCardJson({ side: -2 })), 'field "side": '],
])('the card must be valid: %#', async (card, what) => {
  await writeFile(join(folder, 'card.json'), card);
  await expectFailure('bad-card', 'card.json', what);
});

test('a decoder, which has no cells that grow, is not for rooms', async () => {
  const card = tinyCardJson({
    growth: { kind: 'uniform', steps: 1 },
    update: { kind: 'decoder', hidden: 8, doublings: 3 },
  });
  const model = modelOf(tinyCard(card));
  await writeFile(join(folder, 'card.json'), JSON.stringify(card));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(new Map(model.tensors)));
  expect((await loadModel(folder)).card).toEqual(model.card);
  await expectFailure('bad-card', 'card.json', 'field "update.kind": a decoder has no cells');
});

test('card and weights must be of one identity', async () => {
  const write = (identity: string): Promise<void> =>
    writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson({ identity })));
  const hash = fingerprint(modelOf(tinyCard()));
  await write(hash.slice(0, 8));
  expect((await loadCheckpoint(folder)).card.identity).toBe(hash.slice(0, 8));
  const other = '0123abcd';
  await write(other);
  const what = `field "identity": is "${other}", but card and weights have the identity "${hash.slice(0, 8)}"`;
  await expectFailure('bad-card', 'card.json', what);
  // A copy that a room keeps is known by its folder.
  const kept = join(folder, hash);
  await mkdir(kept);
  for (const file of ['card.json', 'model.safetensors', 'gallery.png']) {
    await copyFile(join(folder, file), join(kept, file));
  }
  expect((await loadCheckpoint(kept)).card.identity).toBe(other);
});

test('the weights must be complete', async () => {
  const whole = writeSafetensors(stored());
  await writeFile(join(folder, 'model.safetensors'), whole.subarray(0, whole.length - 1));
  await expectFailure('corrupt-file', 'model.safetensors', 'tensor "');
});

const floats = (shape: number[], value = 0): Float32Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});
test.each<[string, Float32Tensor | undefined, string]>([
  ['update.hidden.bias', undefined, 'is missing'],
  ['gallery.latents', undefined, 'is missing'],
  ['update.out.kernel', floats([6, 7]), 'has shape [6,7], but the card asks for [7,6]'],
  ['gallery.latents', floats([1, 6]), 'has shape [1,6], but the card asks for [2,6]'],
  ['update.out.bias', floats([6], Number.NaN), 'holds a number that is not finite'],
])('the tensor %s must fit: %#', async (name, tensor, what) => {
  const tensors = stored();
  if (tensor) tensors.set(name, tensor);
  else tensors.delete(name);
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  const reason = tensor ? 'bad-tensor' : 'missing-tensor';
  await expectFailure(reason, 'model.safetensors', `tensor "${name}" ${what}`);
});

test('a tensor must have float32 numbers', async () => {
  const text = Buffer.from(writeSafetensors(stored())).toString('latin1');
  const other = text.replace('"update.out.kernel":{"dtype":"F32"', (part) =>
    part.replace('F32', 'I32'),
  );
  await writeFile(join(folder, 'model.safetensors'), other, 'latin1');
  const what = 'tensor "update.out.kernel" has dtype I32, not F32';
  await expectFailure('bad-tensor', 'model.safetensors', what);
});

test('tensors that the update net does not need are allowed', async () => {
  const tensors = stored().set('encoder.kernel', floats([2]));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  expect((await loadCheckpoint(folder)).tensors.get('encoder.kernel')!.shape).toEqual([2]);
});

test('the gallery sheet must be a PNG of the right size', async () => {
  await writeFile(join(folder, 'gallery.png'), 'no picture, but long enough to be one');
  await expectFailure('bad-gallery', 'gallery.png', 'file is not a PNG');
  await writeFile(join(folder, 'gallery.png'), png(24, 16));
  const what = "width × height is 24 × 16, but the card's gallery needs 384 × 16";
  await expectFailure('bad-gallery', 'gallery.png', what);
});
