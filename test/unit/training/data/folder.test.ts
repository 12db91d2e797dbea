import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { augmentImages } from '../../../../server/training/data/augment.ts';
import {
  type Dataset,
  nameOfFile,
  splitByShare,
  titleCase,
} from '../../../../server/training/data/dataset.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { createRandom } from '../../../../shared/random.ts';
import { suiteFolder } from '../../../support/closing.ts';
import { cell, expectFailure, plain, put } from './support.ts';

/** A folder of a user's own images. */

const folder = suiteFolder();
const load = (name: string, more: object = {}): Promise<Dataset> =>
  loadDataset({ kind: 'folder', folder: name, side: 16, margin: 2, ...more }, folder);

const RED = [200, 40, 0] as const;
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="6" height="6"><rect width="6" height="3" fill="#00f"/></svg>';

/** Expects numbers to be equal up to rounding. */
const near = (found: number[], expected: number[], by = 1) => {
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(by);
  });
};

describe('a folder of images', () => {
  let data: Dataset;
  let at: (name: string) => number;

  beforeAll(async () => {
    await put(folder, 'mine/wide_RED-fish.png', await plain('png', 40, 20, RED));
    await put(folder, 'mine/tall.jpg', await plain('jpeg', 100, 400, RED));
    await put(folder, 'mine/deep/er/glass.png', await plain('png', 5, 5, [255, 128, 0, 0.5]));
    await put(folder, 'mine/deep/glass.webp', await plain('webp', 64, 64, [255, 128, 0, 0.5]));
    await put(folder, 'mine/blue-half.svg', SVG);
    const grey = sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } });
    await put(folder, 'mine/grey.png', await grey.toColourspace('b-w').png().toBuffer());
    // Files that are no images of the user.
    await put(folder, 'mine/.DS_Store', 'x');
    await put(folder, 'mine/._tall.jpg', 'x');
    await put(folder, 'mine/__MACOSX/tall.jpg', 'x');
    await put(folder, 'mine/readme.txt', 'x');
    data = await load('mine');
    at = (name) => data.entries.findIndex((entry) => entry.name === name);
  });

  test('is read with its subfolders, in the order of the paths', () => {
    const names = data.entries.map(({ name }) => name);
    expect(names.join(', ')).toBe('Blue Half, Glass, Glass, Grey, Tall, Wide RED Fish');
    expect(data).toMatchObject({ name: 'folder-mine', side: 16, channels: 4, count: 6 });
    expect(data.pixels).toHaveLength(6 * 16 * 16 * 4);
  });

  test('keeps aspect, centred, in an empty margin', () => {
    // 40×20 fits into 12×12 as 12×6: columns 2…13, rows 5…10.
    const wide = at('Wide RED Fish');
    for (const x of [2, 7, 13]) {
      for (const y of [5, 8, 10]) near(cell(data, wide, x, y), [...RED, 255]);
      for (const y of [4, 11]) expect(cell(data, wide, x, y)).toEqual([0, 0, 0, 0]);
    }
    for (const x of [1, 14]) expect(cell(data, wide, x, 7)).toEqual([0, 0, 0, 0]);
    // 100×400 becomes 3×12. Of the nine empty columns, the odd one is on the right.
    const tall = at('Tall');
    near(cell(data, tall, 7, 2), [...RED, 255], 3);
    near(cell(data, tall, 7, 13), [...RED, 255], 3);
    expect(cell(data, tall, 9, 8)).toEqual([0, 0, 0, 0]);
    expect(cell(data, tall, 7, 1)).toEqual([0, 0, 0, 0]);
  });

  test('premultiplies: half of #ff8000 is 128, 64, 0, 128', () => {
    for (const image of [1, 2]) {
      near(cell(data, image, 8, 8), [128, 64, 0, 128]);
      near(cell(data, image, 2, 2), [128, 64, 0, 128]);
      expect(cell(data, image, 1, 1)).toEqual([0, 0, 0, 0]);
    }
  });

  test('draws SVG sharp at the requested size, and converts grey to colour', () => {
    expect(cell(data, at('Blue Half'), 8, 4)).toEqual([0, 0, 255, 255]);
    expect(cell(data, at('Blue Half'), 8, 7)).toEqual([0, 0, 255, 255]);
    expect(cell(data, at('Blue Half'), 8, 8)).toEqual([0, 0, 0, 0]);
    near(cell(data, at('Grey'), 8, 8), [128, 128, 128, 255]);
  });

  test('ignores colours hidden under transparency', async () => {
    // Left half white and invisible, right half dark green.
    const raw = Buffer.alloc(32 * 32 * 4);
    for (let p = 0; p < 32 * 32; p++)
      raw.set(p % 32 < 16 ? [255, 255, 255, 0] : [0, 60, 0, 255], 4 * p);
    const png = await sharp(raw, { raw: { width: 32, height: 32, channels: 4 } })
      .png()
      .toBuffer();
    await put(folder, 'hidden/leaf.png', png);
    const { pixels } = await load('hidden', { side: 9, margin: 0 });
    for (let i = 0; i < pixels.length; i += 4) {
      expect(pixels[i]).toBeLessThanOrEqual(1);
      expect(pixels[i + 2]).toBeLessThanOrEqual(1);
    }
  });

  test('is opaque and of three channels on a background', async () => {
    const opaque = await load('mine', { background: '#0000ff' });
    expect(opaque.channels).toBe(3);
    expect(cell(opaque, at('Wide RED Fish'), 0, 0)).toEqual([0, 0, 255]);
    near(cell(opaque, 1, 8, 8), [128, 64, 127]);
  });

  test('is rotated by its EXIF orientation', async () => {
    const raw = await plain('jpeg', 40, 20, RED);
    const turned = await sharp(raw).withMetadata({ orientation: 6 }).toBuffer();
    await put(folder, 'turned/phone.jpg', turned);
    const photo = await load('turned');
    expect(cell(photo, 0, 8, 2)[3]).toBe(255);
    expect(cell(photo, 0, 2, 8)[3]).toBe(0);
  });
});

const noise = async (format: 'png' | 'jpeg' | 'webp') => {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const create = { width: 60, height: 60, channels: 3, background: '#000', noise: gaussian };
  const whole = await sharp({ create } as never)
    [format]()
    .toBuffer();
  return whole.subarray(0, whole.length >> 1);
};
const unreadable = ['cannot be read as an image (', 'Repair'];
const BROKEN: [string, string | Uint8Array, string[]][] = [
  ['text.png', 'this is not an image', unreadable],
  ['nothing.webp', '', unreadable],
  ['open.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect', unreadable],
  ['half.png', await noise('png'), []],
  ['half.jpeg', await noise('jpeg'), []],
  ['half.webp', await noise('webp'), []],
  ['air.png', await plain('png', 8, 8, [9, 9, 9, 0]), ['is completely transparent', 'Draw']],
  ['photo.HEIC', 'x', ['Save the image as PNG']],
];

describe('a folder that cannot be trained on is refused', () => {
  test('when it is missing, or is a file', async () => {
    const nothing = join(folder, 'nothing');
    await expectFailure(load('nothing'), 'missing-folder', `${nothing} `, 'ENOENT', 'data.folder');
    await put(folder, 'file', 'x');
    await expectFailure(load('file'), 'missing-folder', 'ENOTDIR');
  });

  test('when it contains no image', async () => {
    await mkdir(join(folder, 'empty/er'), { recursive: true });
    await expectFailure(load('empty'), 'empty-set', 'contains no images', 'Add PNG, JPEG');
  });

  test.each(BROKEN)('when an image cannot be used: %s', async (name, bytes, texts) => {
    await put(folder, `broken-${name}/good.png`, await plain('png', 8, 8, RED));
    const file = await put(folder, `broken-${name}/${name}`, bytes);
    await expectFailure(load(`broken-${name}`), 'broken-image', file, ...texts);
  });

  test('when an image is a broken link', async () => {
    await mkdir(join(folder, 'linked'));
    await symlink('/nowhere.png', join(folder, 'linked/gone.png'));
    await expectFailure(load('linked'), 'broken-image', 'gone.png cannot be read');
  });
});

test.each([
  ['kind', { kind: 'imagenet' }],
  ['set', { kind: 'emoji', set: 'flags' }],
  ['side', { kind: 'mnist', side: 64 }],
  ['folder', { kind: 'folder', folder: '' }],
  ['margin', { kind: 'folder', folder: 'x', side: 16, margin: 7 }],
  ['validationShare', { kind: 'folder', folder: 'x', validationShare: 0.9 }],
])('%s is refused in %j', async (field, config) => {
  await expect(loadDataset(config as never)).rejects.toMatchObject({
    reason: 'bad-config',
    message: expect.stringContaining(`data: field "${field}": `),
  });
});

test('names are for people', () => {
  expect(nameOfFile('/a/b.c/blue_jellyfish-02.tar.png')).toBe('Blue Jellyfish 02 Tar');
  expect(nameOfFile("Grip's dog.jpeg")).toBe("Grip's Dog");
  expect(nameOfFile('éclair.svg')).toBe('Éclair');
  expect(nameOfFile('7up.png')).toBe('7up');
  expect(nameOfFile('---.png')).toBe('---');
  expect(titleCase('THE LEAF_OF the TREE')).toBe('The Leaf of the Tree');
});

test('the validation share is always the same, and never all images', () => {
  const { train, validation } = splitByShare(100, 0.2);
  expect([train.length, validation.length]).toEqual([80, 20]);
  expect(new Set([...train, ...validation]).size).toBe(100);
  expect(splitByShare(100, 0.2).validation).toEqual(validation);
  expect(splitByShare(3, 0.01).validation).toHaveLength(1);
  expect(splitByShare(1, 0.5).train).toEqual(Uint32Array.of(0));
});

describe('augmentation', () => {
  const ramp = (n: number, side: number, channels: number) =>
    Float32Array.from({ length: n * side * side * channels }, (_, i) => i + 1);

  test('mirrors about half of the images', () => {
    const images = ramp(400, 2, 1);
    augmentImages(images, { side: 2, channels: 1 }, { flip: true, shift: 0 }, createRandom(1));
    let mirrored = 0;
    for (let i = 0; i < 400; i++) {
      const image = [...images.subarray(4 * i, 4 * i + 4)].map((value) => value - 4 * i);
      if (image[0] === 2) mirrored++;
      expect(image).toEqual(image[0] === 2 ? [2, 1, 4, 3] : [1, 2, 3, 4]);
    }
    expect(mirrored).toBeGreaterThan(160);
    expect(mirrored).toBeLessThan(240);
  });

  test.each([1, 3, 4] as const)('shifts each way, %i channels', (channels) => {
    const side = 5;
    const images = ramp(300, side, channels);
    augmentImages(images, { side, channels }, { flip: false, shift: 1 }, createRandom(3));
    const seen = new Set<string>();
    const size = side * side * channels;
    for (let i = 0; i < 300; i++) {
      // The centre shows the shift, which all pixels must have.
      const at = (x: number, y: number) => images[i * size + (y * side + x) * channels];
      const from = (at(2, 2) - 1 - i * size) / channels;
      const dx = 2 - (from % side);
      const dy = 2 - Math.floor(from / side);
      seen.add(`${dx} ${dy}`);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          let [sx, sy] = [x - dx, y - dy];
          const outside = sx < 0 || sy < 0 || sx >= side || sy >= side;
          [sx, sy] = [Math.min(Math.max(sx, 0), side - 1), Math.min(Math.max(sy, 0), side - 1)];
          const expected =
            outside && channels !== 3 ? 0 : i * size + (sy * side + sx) * channels + 1;
          expect(at(x, y)).toBe(expected);
        }
      }
    }
    expect(seen.size).toBe(9);
  });

  const side = 16;
  /** A red disc on clear ground, in RGBA. */
  const disc = (n: number): Float32Array =>
    Float32Array.from({ length: n * side * side * 4 }, (_, i) => {
      const cell = Math.floor(i / 4) % (side * side);
      const inside = Math.hypot((cell % side) - 7.5, Math.floor(cell / side) - 7.5) < 6;
      return inside && (i % 4 === 0 || i % 4 === 3) ? 1 : 0;
    });
  const looks = (augmentation: object): Float32Array[] => {
    const images = disc(60);
    const all = { flip: false, shift: 0, ...augmentation };
    augmentImages(images, { side, channels: 4 }, all, createRandom(4));
    return Array.from({ length: 60 }, (_, i) =>
      images.slice(i * 4 * side ** 2, (i + 1) * 4 * side ** 2),
    );
  };
  const alphaOf = (image: Float32Array): number =>
    image.reduce((sum, x, i) => sum + (i % 4 === 3 ? x : 0), 0);
  const colourOf = (image: Float32Array): number[] => {
    const middle = (8 * side + 8) * 4;
    return [...image.subarray(middle, middle + 4)];
  };
  const original = disc(1);

  test('makes pictures smaller about their middle', () => {
    for (const image of looks({ shrink: 0.5 })) {
      expect(alphaOf(image)).toBeLessThanOrEqual(alphaOf(original));
      expect(alphaOf(image)).toBeGreaterThan(0.2 * alphaOf(original));
      expect(colourOf(image)).toEqual([1, 0, 0, 1]);
    }
  });

  test('turns colours, within what the alpha allows', () => {
    const colours = looks({ recolour: 1 }).map(colourOf);
    for (const [r, gr, b, alpha] of colours) {
      expect(alpha).toBe(1);
      for (const x of [r, gr, b]) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(1);
      }
    }
    const strongest = colours.map((colour) => colour.indexOf(Math.max(...colour.slice(0, 3))));
    expect(new Set(strongest).size).toBe(3);
  });

  test('draws outlines, some of which keep their fill', () => {
    const middles = looks({ lines: 1 }).map((image) => colourOf(image)[3]);
    expect(middles.some((alpha) => alpha === 0)).toBe(true);
    expect(middles.some((alpha) => alpha > 0.5)).toBe(true);
  });

  test('leaves the rest as it is', () => {
    const changed = looks({ recolour: 1, lines: 1, shrink: 0.5, untouched: 0.5 }).filter(
      (image) => !image.every((x, i) => x === original[i]),
    );
    expect(changed.length).toBeGreaterThan(10);
    expect(changed.length).toBeLessThan(50);
  });
});
