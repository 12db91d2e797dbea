
import { nameOfFile, splitByShare, titleCase } from '../../../../server/training/data/dataset.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';

test.each([
  ['kind', { kind: 'imagenet' }],
  ['set', { kind: 'emoji', set: 'flags' }],
  ['side', { kind: 'mnist', side: 64 }],
  ['extra', { kind: 'mnist', extra: 1 }],
  ['folder', { kind: 'folder', folder: '' }],
  ['margin', { kind: 'folder', folder: 'x', side: 16, margin: 7 }],
  ['background', { kind: 'folder', folder: 'x', background: 'blue' }],
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
