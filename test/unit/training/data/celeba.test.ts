import { join } from 'node:path';
import sharp from 'sharp';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { cell, expectFailure, plain, put } from './support.ts';

const folder = temporaryFolder();
const load = (name: string, side: 32 | 64 = 64) =>
  loadDataset(
    { kind: 'celeba', folder: name, side },
    { cacheFolder: join(folder(), 'cache'), baseFolder: folder() },
  );
const names = ['000001', '162770', '162771', '182637', '182638', '202599'];

async function faces(inside: string, format: 'jpeg' | 'png', ending: string) {
  for (const [i, name] of names.entries()) {
    const face = await plain(format, 178, 218, [40 * i, 9, 200]);
    await put(folder(), `${inside}/${name}.${ending}`, face);
  }
}

test('official names have the official splits', async () => {
  await faces('official', 'jpeg', 'jpg');
  const data = await load('official');
  expect(data).toMatchObject({ name: 'celeba', side: 64, channels: 3, count: 6 });
  expect(data.splits).toEqual({
    train: Uint32Array.of(0, 1),
    validation: Uint32Array.of(2, 3),
    test: Uint32Array.of(4, 5),
  });
  expect(data.entries[1]).toEqual({ name: 'Face 162770', kind: 'face' });
  expect(Math.abs(cell(data, 2, 0, 0)[0] - 80)).toBeLessThan(4);
});

test('the partition list has priority, also beside the folder and for PNGs', async () => {
  await faces('celeba/img_align_celeba_png', 'png', 'png');
  const parts = [2, 1, 0, 0, 0, 0];
  const list = names.map((name, i) => `${name}.jpg ${parts[i]}\n`).join('');
  await put(folder(), 'celeba/list_eval_partition.txt', list);
  const { splits } = await load('celeba/img_align_celeba_png', 32);
  expect(splits.test).toEqual(Uint32Array.of(0));
  expect(splits.validation).toEqual(Uint32Array.of(1));
  expect(splits.train).toEqual(Uint32Array.of(2, 3, 4, 5));
});

test('the whole picture is stretched, without cropping', async () => {
  // The upper left quarter white, the rest black.
  const white = await plain('png', 89, 109, [255, 255, 255]);
  const image = sharp({ create: { width: 178, height: 218, channels: 3, background: '#000' } });
  const png = await image
    .composite([{ input: white, left: 0, top: 0 }])
    .png()
    .toBuffer();
  await put(folder(), 'quarter/000001.png', png);
  const data = await load('quarter');
  expect(cell(data, 0, 0, 0)).toEqual([255, 255, 255]);
  expect(cell(data, 0, 30, 30)[0]).toBeGreaterThan(240);
  expect(cell(data, 0, 33, 30)[0]).toBeLessThan(15);
  expect(cell(data, 0, 30, 33)[0]).toBeLessThan(15);
});

test('images without a split, and broken lists, are refused', async () => {
  const file = await put(folder(), 'mine/me.jpg', await plain('jpeg', 178, 218, [9, 9, 9]));
  const what = `${file}: is not an official name`;
  await expectFailure(load('mine'), 'broken-list', what, '"kind": "folder"');
  const list = await put(folder(), 'mine/list_eval_partition.txt', '000001.jpg 0\n');
  await expectFailure(load('mine'), 'broken-list', list, 'lacks me.jpg');
  await put(folder(), 'mine/list_eval_partition.txt', 'me.jpg 0\nme.jpg 7\n');
  await expectFailure(
    load('mine'),
    'broken-list',
    list,
    'line 2 is not a file name followed by 0, 1 or 2',
  );
});
