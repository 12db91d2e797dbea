import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { type Keep, openKeep } from '../../../../server/training/evaluate/bounds.ts';
import { evaluate } from '../../../../server/training/evaluate/evaluate.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { quiet, smallImages, smallModel } from './small.ts';

const model = smallModel();
// More samples than are worked on together leave an image a batch of its own.
const measured = { model, images: smallImages(5), samples: 700, seed: 1 };

const folder = temporaryFolder();
let file: string;
let count = 0;
beforeEach(() => {
  file = join(folder(), `${count++}.jsonl`);
});

const open = (at: string, { model, images, ...by }: typeof measured): Promise<Keep> =>
  openKeep(at, model, images, by);

const lines = async () => (await readFile(file, 'utf8')).split('\n');

async function figures(keep?: Keep) {
  const wanted = {
    organisms: 1,
    steps: [1],
    wounds: [0.5],
    throws: 0,
    seed: 1,
    samples: measured.samples,
  };
  const compute = createOnnxCompute({ threads: 1 });
  const options = { ...wanted, ...(keep && { keep }) };
  const found = await evaluate(compute, model, measured.images, options, quiet);
  await compute.dispose();
  return found.figures;
}

it('a stopped evaluation continues to the same result and measures nothing twice', async () => {
  const whole = await figures();
  expect(await figures(await open(file, measured))).toEqual(whole);
  const [head, ...images] = await lines();
  expect(images).toHaveLength(measured.images.count + 1);

  // Killed in the middle of the third image's line.
  await writeFile(file, [head, ...images.slice(0, 2), images[2].slice(0, 9)].join('\n'));
  const keep = await open(file, measured);
  expect(keep.known.map((row) => JSON.stringify(row))).toEqual(images.slice(0, 2));
  let added = 0;
  const counting: Keep = {
    ...keep,
    add(more) {
      added += more.length;
      return keep.add(more);
    },
  };
  expect(await figures(counting)).toEqual(whole);
  expect(added).toBe(3);
  expect(await lines()).toEqual([head, ...images]);
});

it('a file with an incomplete first line starts again', async () => {
  await open(file, measured);
  const [head] = await lines();
  await writeFile(file, head.slice(0, 20));
  expect((await open(file, measured)).known).toEqual([]);
  expect(await lines()).toEqual([head, '']);
});

it.each([
  ['samples', { ...measured, samples: 8 }],
  ['a seed', { ...measured, seed: 2 }],
  ['images', { ...measured, images: smallImages(4) }],
  ['a model', { ...measured, model: smallModel({ update: { kind: 'simple', hidden: 7 } }) }],
])('a file of other %s is refused and not changed', async (_, other) => {
  await (await open(file, measured)).add([[-3, -2, -1]]);
  const before = await lines();
  await expect(open(file, other)).rejects.toMatchObject({
    reason: 'foreign-keep',
    message: expect.stringContaining('choose another file'),
  });
  expect(await lines()).toEqual(before);
});

it.each(['[1,2]', '[1,2,null]', 'x'])('a line %s is refused', async (line) => {
  await open(file, measured);
  await writeFile(file, `${await readFile(file, 'utf8')}${line}\n`);
  await expect(open(file, measured)).rejects.toThrow('does not have three numbers in line 2');
});

it('too many images, or a folder instead of a file, are refused', async () => {
  const keep = await open(file, measured);
  await keep.add(Array.from({ length: 6 }, () => [-3, -2, -1] as const));
  await expect(open(file, measured)).rejects.toThrow('more images than there are');
  await expect(open(folder(), measured)).rejects.toMatchObject({ reason: 'no-keep' });
});
