import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { testNeeding } from '../../../support/needs.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { cell, expectFailure, put } from './support.ts';

const folder = temporaryFolder();
const load = (name: string) =>
  loadDataset(
    { kind: 'angband', folder: name },
    { cacheFolder: join(folder(), 'cache'), baseFolder: folder() },
  );

/** Three tiles wide, two high; each of one colour, the last one empty. */
async function sheet(): Promise<Buffer> {
  const colours = [
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [255, 255, 255, 128],
    [255, 0, 0, 255],
    [0, 0, 9, 255],
    [7, 7, 7, 0],
  ];
  const raw = Buffer.alloc(96 * 64 * 4);
  for (let p = 0; p < 96 * 64; p++) {
    const tile = Math.floor((p % 96) / 32) + 3 * Math.floor(p / 96 / 32);
    raw.set(colours[tile], 4 * p);
  }
  return sharp(raw, { raw: { width: 96, height: 64, channels: 4 } })
    .png()
    .toBuffer();
}

const TABLE = `# a comment
feat:NONE:*:0x80:0x80
monster:red worm:0x80:0x80
monster:Green mold:0x80:0x81
monster:Ghost, the 1st: of two:0x80:0x82
monster:red worm again:0x81:0x80
monster:nobody:0x81:0x82\r
monster:Potion mimic:0x81:0x81
`;

test('tiles are cut by row and column, identical ones once', async () => {
  await put(folder(), 'small/32x32.png', await sheet());
  await put(folder(), 'small/graf-dvg.prf', TABLE);
  const data = await load('small');
  expect(data.entries).toEqual([
    { name: 'Red worm', kind: 'animal' },
    { name: 'Green mold', kind: 'plant' },
    { name: 'Ghost, the 1st: of two', kind: 'animal' },
    { name: 'Potion mimic', kind: 'thing' },
  ]);
  expect(data).toMatchObject({ name: 'angband', side: 32, channels: 4, count: 4 });
  expect(cell(data, 0, 31, 31)).toEqual([255, 0, 0, 255]);
  expect(cell(data, 1, 0, 0)).toEqual([0, 255, 0, 255]);
  expect(cell(data, 2, 0, 0)).toEqual([128, 128, 128, 128]);
  expect(cell(data, 3, 0, 31)).toEqual([0, 0, 9, 255]);
});

test('a missing package is reported with how to install it', async () => {
  await expectFailure(
    load('nothing'),
    'missing-package',
    '32x32.png: cannot be read (ENOENT)',
    'apt-get install angband-data',
    'data.folder',
  );
});

test('tables and sheets that cannot be used are refused', async () => {
  await put(folder(), 'bad/32x32.png', await sheet());
  const table = (text: string) => put(folder(), 'bad/graf-dvg.prf', text);
  await table('monster:worm:0x80:0x80\nmonster:worm:12\n');
  await expectFailure(load('bad'), 'broken-list', 'graf-dvg.prf: line 2 is not');
  await table('monster:far away:0x80:0x83\n');
  await expectFailure(load('bad'), 'broken-list', '"far away" is at row 0, column 3, outside');
  await table('feat:NONE:*:0x80:0x80\n');
  await expectFailure(load('bad'), 'empty-set', 'names no monster');
  await table('monster:nobody:0x81:0x82\n');
  await expectFailure(load('bad'), 'empty-set', 'shows nothing');
  await put(folder(), 'bad/32x32.png', 'no sheet');
  await expectFailure(load('bad'), 'broken-image', '32x32.png: cannot be read as an image');
});

const installed = existsSync('/usr/share/angband/tiles/gervais/32x32.png');
testNeeding('the Debian package angband-data', installed)(
  'the real set has 590 monsters',
  async () => {
    const data = await loadDataset({ kind: 'angband' }, { cacheFolder: join(folder(), 'cache') });
    expect(data.count).toBe(590);
    expect(data.entries.map(({ name }) => name)).toContain('Village idiot');
  },
);
