/** New weights under the name of old ones: stored rooms keep theirs, and tokens of one are refused by the other. */
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { writeCheckpoint } from '../../server/training/run/export.ts';
import { identityOf, loadModel } from '../../server/vnca/checkpoint.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { identityInToken, modelPath } from '../../shared/seed-token.ts';
import { suiteFolder } from '../support/closing.ts';
import { type ServerSettings, startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const scratch = suiteFolder();
const installed = join(scratch, 'installed');
const start = (settings: ServerSettings = {}) =>
  startServer({ checkpoint: installed, data: join(scratch, 'data'), energy: 'off', ...settings });
const roomOf = ({ world }: VivariumServer, name: string) => world.rooms.get(name)!;

/** Hexadecimal digest of the tensors of a model file. */
const weightsIn = (file: Buffer): string =>
  createHash('sha256')
    .update(file.subarray(8 + Number(file.readBigUInt64LE())))
    .digest('hex');

async function replaceWeights(): Promise<void> {
  const { card, tensors } = await loadModel(installed);
  const kernel = tensors.get('update.hidden.kernel')!;
  const others = new Map(tensors);
  others.set('update.hidden.kernel', { ...kernel, data: kernel.data.map((value) => 1.1 * value) });
  const identity = identityOf({ card, tensors: others });
  await writeCheckpoint(installed, { card: { ...card, identity }, tensors: others });
}

test('tokens of replaced weights grow in the room that keeps them, and are refused with a reason elsewhere', async () => {
  cpSync('test/fixtures/checkpoints/small', installed, { recursive: true });
  const plant = (visitor: Visitor, x: number, seed: unknown) =>
    visitor.ask('plant', { x, y: 24, seed });
  const tokenOf = async (visitor: Visitor, { organisms }: ReturnType<typeof roomOf>) => {
    const organism = Math.max(...organisms.map(({ id }) => id));
    return ((await visitor.ask('keep', { organism })) as Event<'accepted'>).token!;
  };
  const modelOf = async ({ port }: VivariumServer, token: string) => {
    const model = await fetch(`http://127.0.0.1:${port}${modelPath(identityInToken(token)!)}`);
    return model.ok && weightsIn(Buffer.from(await model.arrayBuffer()));
  };

  const first = await start();
  const ada = await Visitor.join(first.port);
  expect(await plant(ada, 24, { from: 'gallery', index: 3 })).not.toHaveProperty('reason');
  const printed = await tokenOf(ada, roomOf(first, 'garden'));
  const model = await modelOf(first, printed);
  ada.leave();
  await first.close();

  await replaceWeights();
  const second = await start({ rooms: 'garden,attic' });
  const [kept, fresh] = ['garden', 'attic'].map((room) => roomOf(second, room));
  const ben = await Visitor.join(second.port);
  const eve = await Visitor.join(second.port, 'attic');
  expect(await modelOf(second, printed)).toBe(model);
  const seed = { from: 'token', token: printed };
  expect(await plant(ben, 144, seed)).not.toHaveProperty('reason');
  expect(await tokenOf(ben, kept)).toBe(printed);
  const refused = { reason: 'bad-token', detail: 'it grows from other weights' };
  expect(await plant(eve, 64, seed)).toMatchObject(refused);
  expect(await eve.ask('preview', { seed })).toMatchObject(refused);

  expect(await plant(eve, 24, { from: 'gallery', index: 3 })).not.toHaveProperty('reason');
  const ofNew = await tokenOf(eve, fresh);
  expect(identityInToken(ofNew)).not.toBe(identityInToken(printed));
  expect(await modelOf(second, ofNew)).not.toBe(model);
  expect(await plant(ben, 184, { from: 'token', token: ofNew })).toMatchObject(refused);
  for (const visitor of [ben, eve]) visitor.leave();
  await second.close();
});
