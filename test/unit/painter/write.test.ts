/** Where a painter is written. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOut, painterBytes, writePainter } from '../../../server/training/painter/write.ts';
import { writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { suiteFolder } from '../../support/closing.ts';
import { modelOf, tinyCard, tinyCardJson } from '../vnca/tiny-model.ts';
import { randomWeights } from './nets.ts';

const scratch = suiteFolder();
const [source, own, other] = ['source', 'own', 'other'].map((name) => join(scratch, name));
for (const folder of [source, own, other]) await mkdir(folder);
await writeFile(join(source, 'card.json'), JSON.stringify(tinyCardJson()));
const checkpoint = { ...modelOf(tinyCard()), folder: source };
const cardIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8'));
const write = (folder: string): Promise<void> =>
  writePainter(folder, source, painterBytes(randomWeights(1)), {});

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
