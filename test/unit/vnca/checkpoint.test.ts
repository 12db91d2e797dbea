import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { GALLERY_KINDS } from '../../../server/vnca/card.ts';
import { galleryLatent, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { CheckpointError } from '../../../server/vnca/errors.ts';
import { totalSteps } from '../../../server/vnca/growth.ts';
import {
  fromFloat32,
  type StoredTensor,
  writeSafetensors,
} from '../../../server/vnca/safetensors.ts';
import { modelOf, tinyCard, tinyCardJson } from './tiny-model.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vivarium-checkpoint-'));
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson()));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(stored()));
  await writeFile(join(folder, 'gallery.png'), png(24 * 16, 16));
});

afterEach(() => rm(folder, { recursive: true }));

function stored(): Map<string, StoredTensor> {
  const { tensors } = modelOf(tinyCard());
  return new Map([...tensors].map(([name, { shape, data }]) => [name, fromFloat32(shape, data)]));
}

function png(width: number, height: number): Buffer {
  return PNG.sync.write(new PNG({ width, height }));
}

async function expectFailure(reason: string, file: string, what: string): Promise<void> {
  const error = await loadCheckpoint(folder).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ reason, file: join(folder, file) });
  const { message } = error as CheckpointError;
  expect(message).toContain(`${join(folder, file)}: ${what}`);
  expect(message).not.toContain('\n');
}

test('a whole folder loads', async () => {
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

test('the card must be JSON', async () => {
  await writeFile(join(folder, 'card.json'), '{"version":');
  await expectFailure('bad-card', 'card.json', 'card is not JSON');
});

test('the card must be of a known version', async () => {
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson({ version: 7 })));
  await expectFailure(
    'unknown-version',
    'card.json',
    'card version 7 is not known; this build reads version 1',
  );
});

test('the card must be whole', async () => {
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson({ side: -2 })));
  await expectFailure('bad-card', 'card.json', 'field "side": ');
});

test('the weights must be whole', async () => {
  const whole = writeSafetensors(stored());
  await writeFile(join(folder, 'model.safetensors'), whole.subarray(0, whole.length - 1));
  await expectFailure('corrupt-file', 'model.safetensors', 'tensor "');
});

test.each(['update.perceive.kernel', 'update.hidden.bias', 'update.out.bias', 'gallery.latents'])(
  'the tensor %s must be there',
  async (name) => {
    const tensors = stored();
    tensors.delete(name);
    await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
    await expectFailure('missing-tensor', 'model.safetensors', `tensor "${name}" is missing`);
  },
);

test('a tensor must have the shape that the card asks for', async () => {
  const tensors = stored();
  const { bytes } = tensors.get('update.out.kernel')!;
  tensors.set('update.out.kernel', { dtype: 'F32', shape: [6, 7], bytes });
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  const what = 'tensor "update.out.kernel" has shape [6,7], but the card asks for [7,6]';
  await expectFailure('bad-tensor', 'model.safetensors', what);
});

test('a tensor must be float32', async () => {
  const tensors = stored();
  const { shape, bytes } = tensors.get('update.out.kernel')!;
  tensors.set('update.out.kernel', { dtype: 'I32', shape, bytes });
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  const what = 'tensor "update.out.kernel" has dtype I32, not F32';
  await expectFailure('bad-tensor', 'model.safetensors', what);
});

test('weights must be finite', async () => {
  const tensors = stored();
  tensors.set('update.out.bias', fromFloat32([6], new Float32Array(6).fill(Number.NaN)));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  const what = 'tensor "update.out.bias" holds a number that is not finite';
  await expectFailure('bad-tensor', 'model.safetensors', what);
});

test('there must be a latent for every gallery entry', async () => {
  const gallery = [{ name: 'one', kind: 'animal' }];
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson({ gallery })));
  const what = 'tensor "gallery.latents" has shape [2,6], but the card asks for [1,6]';
  await expectFailure('bad-tensor', 'model.safetensors', what);
});

test('tensors that the update net does not need are welcome', async () => {
  const tensors = stored().set('encoder.kernel', fromFloat32([2], new Float32Array(2)));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  expect((await loadCheckpoint(folder)).tensors.get('encoder.kernel')!.shape).toEqual([2]);
});

test('the gallery sheet must be a PNG of the right size', async () => {
  await writeFile(join(folder, 'gallery.png'), 'no picture, but long enough to be one');
  await expectFailure('bad-gallery', 'gallery.png', 'file is not a PNG');
  await writeFile(join(folder, 'gallery.png'), png(24, 16));
  const what = "width × height is 24 × 16, but the card's gallery takes 384 × 16";
  await expectFailure('bad-gallery', 'gallery.png', what);
});

test('a checkpoint of the first format loads', async () => {
  const earlier = fileURLToPath(
    new URL('../../fixtures/checkpoints/interim-emoji', import.meta.url),
  );
  const checkpoint = await loadCheckpoint(earlier);
  expect(checkpoint.card.gallery).toHaveLength(459);
  expect(totalSteps(checkpoint.card)).toBe(40);
  expect(new Set(checkpoint.card.gallery.map(({ kind }) => kind))).toEqual(new Set(GALLERY_KINDS));
});
