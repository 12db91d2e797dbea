/** Painters: what a run continues with, what it refuses, and where it writes. */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Options, readOptions } from '../../../server/training/command.ts';
import { loadDataset } from '../../../server/training/data/load-dataset.ts';
import { parsePainterConfig } from '../../../server/training/painter/graph.ts';
import { trainPainter } from '../../../server/training/painter/train.ts';
import { checkOut, painterBytes, writePainter } from '../../../server/training/painter/write.ts';
import { identified, writeCheckpoint } from '../../../server/training/run/export.ts';
import { writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { suiteFolder } from '../../support/closing.ts';
import { isFull } from '../../support/needs.ts';
import { genomeUpdate, modelOf, tinyCard, tinyCardJson } from '../vnca/tiny-model.ts';
import { randomWeights } from './nets.ts';

const scratch = suiteFolder();
const folder = join(scratch, 'drawings');
const drawings = new URL('../../../server/training/examples/drawings/', import.meta.url);
await mkdir(folder);
for (const name of ['apple.svg', 'bee.svg', 'cat.svg', 'fish.svg'])
  await copyFile(new URL(name, drawings), join(folder, name));
const data = { kind: 'folder', folder, side: 16, margin: 1 } as const;
const CONFIG = {
  ...{ kind: 'painter', name: 'tiny', checkpoint: 'nowhere', data, kept: 1, updates: 2 },
  ...{ hidden: [4, 4], ramps: 1, batch: { scenes: 1, cells: 4 } },
};
const { entries } = await loadDataset(data);
const source = join(scratch, 'source');
const gallery = entries.slice(0, 2);
await writeCheckpoint(source, identified(modelOf(tinyCard({ gallery }))));

/** Runs a command line in a folder of its own; returns what it said. */
async function train(name: string, args: readonly string[], config: object = CONFIG) {
  const said: string[] = [];
  const run = join(scratch, name);
  await trainPainter({
    config: parsePainterConfig(config, 'tiny.json'),
    baseFolder: scratch,
    options: readOptions([
      ...'tiny.json --backend onnx --threads 1 --run'.split(' '),
      ...[run, ...args],
    ]) as Options,
    say: (line) => said.push(line),
    stop: { isAsked: () => false },
  });
  return said;
}

test('a run that began with --from goes on with that checkpoint', async () => {
  await train('resumed', ['--from', source, '--updates', '1']);
  const said = await train('resumed', ['--resume']);
  expect(said).toContainEqual(expect.stringContaining(`training a painter for ${source}:`));
  const card = JSON.parse(readFileSync(join(scratch, 'resumed/checkpoint/card.json'), 'utf8'));
  expect(card.painter.figures).toMatchObject({ creatures: 1, updates: 2 });
  await expect(train('resumed', ['--resume'], { ...CONFIG, seed: 2 })).rejects.toMatchObject({
    reason: 'bad-run',
  });
});

test('steps between neighbouring cells count by their weight', async () => {
  const lossWith = async (steps: number): Promise<number> => {
    await train(`steps-${steps}`, ['--from', source, '--updates', '1'], { ...CONFIG, steps });
    const [line] = readFileSync(join(scratch, `steps-${steps}`, 'log.jsonl'), 'utf8').split('\n');
    return JSON.parse(line).loss;
  };
  const [low, middle, high] = [await lossWith(5), await lossWith(10), await lossWith(15)];
  expect(middle).toBeGreaterThan(low);
  expect(high - middle).toBeCloseTo(middle - low, 4);
});

test('images named on the command line replace those of the configuration', async () => {
  const said = await train('images', ['--from', source, '--updates', '1', '--images', folder], {
    ...CONFIG,
    data: { ...data, folder: 'none' },
  });
  expect(said).toContainEqual(expect.stringContaining(`${entries.length - 1} originals`));
});

test('images of other creatures are refused before the previous run is set aside', async () => {
  const strangers = join(scratch, 'strangers');
  await writeCheckpoint(strangers, identified(modelOf(tinyCard())));
  await train('refused', ['--from', source, '--updates', '1']);
  const out = join(scratch, 'refused-out');
  await expect(train('refused', ['--from', strangers, '--out', out])).rejects.toMatchObject({
    name: 'TrainingError',
    reason: 'bad-data',
    message: expect.stringContaining('gallery'),
  });
  const [state, old] = ['state.safetensors', 'state.old.safetensors'].map((file) =>
    existsSync(join(scratch, 'refused', file)),
  );
  expect([state, old]).toEqual([true, false]);
});

describe('learning genomes', () => {
  const genome = [20, 4, 4, 4, 4, 4];
  const large = { ...data, side: 32, margin: 2 };
  const learning = { ...CONFIG, name: 'learning', data: large, genome, kept: 1 };
  const kept = { kind: 'painter', name: 'large', data: large, updates: 1, checkpoint: 'nowhere' };
  const folderOf = (name: string): string => join(scratch, 'learning', name);
  const card = (latentSize = 20) =>
    tinyCard({ gallery, side: 32, latentSize, update: genomeUpdate(4) });

  const refusals: [string, string, number, string][] = [
    ['without a painter', 'plain', 20, 'has no painter'],
    // The rule has random weights.
    ['whose creatures do not show their pictures', 'blurred', 20, 'shows its picture'],
    ['with other latents', 'others', 21, 'do not fit "genome"'],
  ];
  it.each(refusals.slice(0, isFull ? undefined : 2))(
    'a checkpoint %s is refused',
    async (_, name, latentSize, why) => {
      const from = folderOf(name);
      await writeCheckpoint(from, identified(modelOf(card(latentSize))));
      if (name !== 'plain') {
        const small = { ...CONFIG, ...kept, hidden: [4, 4], ramps: 1, batch: CONFIG.batch };
        await train(`learning/${name}-first`, ['--from', from, '--out', from], {
          ...small,
          kept: 1,
        });
      }
      await expect(train(`learning/${name}-run`, ['--from', from], learning)).rejects.toMatchObject(
        { name: 'TrainingError', message: expect.stringContaining(why) },
      );
    },
  );
});

test.each([
  ['--batch', ['--from', source, '--batch', '2']],
  ['--refine', ['--resume', '--refine', '1']],
])('what is for rules is refused: %s', async (option, args) => {
  await expect(train('options', args)).rejects.toMatchObject({
    name: 'TrainingError',
    reason: 'bad-config',
    message: expect.stringContaining(option),
  });
});

const [origin, own, other] = ['origin', 'own', 'other'].map((name) => join(scratch, name));
for (const folder of [origin, own, other]) await mkdir(folder);
await writeFile(join(origin, 'card.json'), JSON.stringify(tinyCardJson()));
const checkpoint = { ...modelOf(tinyCard()), folder: origin };
const cardIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8'));
const write = (folder: string): Promise<void> =>
  writePainter(folder, origin, painterBytes(randomWeights(1)), {});

test('a painter is written where nothing is, again, and beside its own checkpoint with its card', async () => {
  const out = own;
  await checkOut(out, checkpoint);
  await write(out);
  expect(cardIn(out).painter.version).toBe(1);
  await checkOut(out, checkpoint);
  await writeFile(join(out, 'card.json'), JSON.stringify(tinyCardJson({ title: 'Another' })));
  await writeFile(join(out, 'model.safetensors'), writeSafetensors(new Map(checkpoint.tensors)));
  await checkOut(out, checkpoint);
  await write(out);
  expect(cardIn(out)).toMatchObject({ title: 'Another', painter: { version: 1 } });
});

test('a painter is not written beside the weights of another checkpoint', async () => {
  const out = other;
  await writeFile(join(out, 'card.json'), JSON.stringify(tinyCardJson()));
  const tensors = new Map(checkpoint.tensors);
  const [[name, { shape, data }]] = tensors;
  tensors.set(name, { shape, data: data.map((x) => x + 1) });
  await writeFile(join(out, 'model.safetensors'), writeSafetensors(tensors));
  await expect(checkOut(out, checkpoint)).rejects.toMatchObject({ reason: 'bad-data' });
});
