import { parseDatasetConfig } from '../../../../server/training/data/config.ts';
import { nameOfFile, splitByShare, titleCase } from '../../../../server/training/data/dataset.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { expectFailure } from './support.ts';

test('defaults are filled in', () => {
  expect(parseDatasetConfig({ kind: 'mnist' })).toEqual({
    kind: 'mnist',
    side: 32,
    binarise: { seed: 1 },
  });
  const emoji = { kind: 'emoji', set: 'broad' };
  const defaults = { side: 32, margin: 2, validationShare: 0 };
  expect(parseDatasetConfig(emoji)).toEqual({ ...emoji, ...defaults });
  const own = { kind: 'folder', folder: 'x' };
  expect(parseDatasetConfig(own)).toEqual({ ...own, ...defaults, background: 'transparent' });
});

test.each([
  ['data.kind', { kind: 'imagenet' }],
  ['data', 'mnist'],
  ['data.set', { kind: 'emoji', set: 'flags' }],
  ['data.side', { kind: 'mnist', side: 64 }],
  ['data.extra', { kind: 'mnist', extra: 1 }],
  ['data.binarise.seed', { kind: 'mnist', binarise: { seed: -1 } }],
  ['data.folder', { kind: 'folder', folder: '' }],
  ['data.folder', { kind: 'celeba' }],
  ['data.margin', { kind: 'folder', folder: 'x', side: 16, margin: 7 }],
  ['data.background', { kind: 'folder', folder: 'x', background: 'blue' }],
  ['data.validationShare', { kind: 'folder', folder: 'x', validationShare: 0.9 }],
])('%s is refused in %j', async (field, config) => {
  const load = loadDataset(config as never);
  await expectFailure(load, 'bad-config', `${field}: `, 'correct this field');
});

test('messages say what is wrong with the field', async () => {
  const refused = (config: object, text: string) =>
    expectFailure(loadDataset(config as never), 'bad-config', text);
  await refused({ kind: 'mnist', extra: 1 }, 'data.extra: is not a field of this kind of set');
  await refused({ kind: 'celeba' }, 'data.folder: is missing');
  await refused({ kind: 'folder', folder: 'x', background: '#fff' }, 'nor a colour such as');
  await refused({ kind: 'emoji', set: 'broad', margin: 15 }, 'data.margin: leaves fewer than 4');
  await refused({ kind: 'imagenet' }, '"celeba"');
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
