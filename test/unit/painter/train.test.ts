/** Painters: what a run continues with, what it refuses, and where it writes. */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Options, readOptions } from '../../../server/training/command.ts';
import { loadDataset } from '../../../server/training/data/load-dataset.ts';
import { parsePainterConfig } from '../../../server/training/painter/config.ts';
import { trainPainter } from '../../../server/training/painter/train.ts';
import { checkOut, painterBytes, writePainter } from '../../../server/training/painter/write.ts';
import { identified, writeCheckpoint } from '../../../server/training/run/export.ts';
import { writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { suiteFolder } from '../../support/closing.ts';
import { modelOf, tinyCard, tinyCardJson } from '../vnca/tiny-model.ts';
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
  expect(said).toContainEqual(expect.stringContaining(`training a painter for ${source} with `));
  const card = JSON.parse(readFileSync(join(scratch, 'resumed/checkpoint/card.json'), 'utf8'));
  expect(card.painter.figures).toMatchObject({ creatures: 1, updates: 2 });
  await expect(train('resumed', ['--resume'], { ...CONFIG, seed: 2 })).rejects.toMatchObject({
    reason: 'bad-run',
  });
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

const [origin, own, other] = ['origin', 'own', 'other'].map((name) => join(scratch, name));
for (const folder of [origin, own, other]) await mkdir(folder);
await writeFile(join(origin, 'card.json'), JSON.stringify(tinyCardJson()));
const checkpoint = { ...modelOf(tinyCard()), folder: origin };
const cardIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8'));
const write = (folder: string): Promise<void> =>
  writePainter(folder, origin, painterBytes(randomWeights(1)), {});

test('a painter is written where nothing is, again, and beside its own checkpoint with its card', async () => {
  await checkOut(own, checkpoint);
  await write(own);
  expect(cardIn(own).painter.version).toBe(1);
  await checkOut(own, checkpoint);
  await writeFile(join(own, 'card.json'), JSON.stringify(tinyCardJson({ title: 'Another' })));
  await writeFile(join(own, 'model.safetensors'), writeSafetensors(new Map(checkpoint.tensors)));
  await checkOut(own, checkpoint);
  await write(own);
  expect(cardIn(own)).toMatchObject({ title: 'Another', painter: { version: 1 } });
});

test('a painter is not written beside the weights of another checkpoint', async () => {
  await writeFile(join(other, 'card.json'), JSON.stringify(tinyCardJson()));
  const tensors = new Map(checkpoint.tensors);
  const [[name, { shape, data }]] = tensors;
  tensors.set(name, { shape, data: data.map((x) => x + 1) });
  await writeFile(join(other, 'model.safetensors'), writeSafetensors(tensors));
  await expect(checkOut(other, checkpoint)).rejects.toMatchObject({ reason: 'bad-data' });
});
