/** New weights under the name of old ones: what was printed before grows as it did, or says why not. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { writeCheckpoint } from '../../server/training/export.ts';
import { loadModel } from '../../server/vnca/checkpoint.ts';
import { identityOf } from '../../server/vnca/checkpoint-fingerprint.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { modelNameIn, modelPath } from '../../shared/seed-token.ts';
import { suiteFolder } from '../support/closing.ts';
import { type ServerSettings, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const scratch = suiteFolder();
const [installed, earlier] = ['emoji', 'emoji-1'].map((name) => join(scratch, name));
const start = (settings: ServerSettings = {}) =>
  startServer({ checkpoint: installed, data: join(scratch, 'data'), energy: 'off', ...settings });
const roomOf = ({ world }: VivariumServer, name: string) => world.rooms.get(name)!;

/** Installs other weights; their gallery has another order, and lacks the last creature. */
async function replaceWeights(): Promise<void> {
  cpSync(installed, earlier, { recursive: true });
  const { card, tensors } = await loadModel(installed);
  const kernel = tensors.get('update.hidden.kernel')!;
  const others = new Map(tensors);
  others.set('update.hidden.kernel', { ...kernel, data: kernel.data.map((value) => 1.1 * value) });
  const gallery = [{ name: 'newcomer', kind: 'animal' as const }, ...card.gallery.slice(0, -1)];
  const model = { card: { ...card, gallery, earlier: ['emoji-1'] }, tensors: others };
  const identity = identityOf(model);
  await writeCheckpoint(installed, { ...model, card: { ...model.card, identity } });
}

test('with new weights of one name, old tokens grow themselves where the old ones live, and their namesakes elsewhere', async () => {
  cpSync('test/fixtures/checkpoints/interim-emoji', installed, { recursive: true });
  const plant = (visitor: Visitor, x: number, seed: unknown) =>
    visitor.ask('plant', { x, y: 24, seed });
  const tokenOf = async (visitor: Visitor, { organisms }: ReturnType<typeof roomOf>) => {
    const organism = Math.max(...organisms.map(({ id }) => id));
    return ((await visitor.ask('keep', { organism })) as Event<'accepted'>).token!;
  };
  const modelOf = async ({ port }: VivariumServer, token: string) => {
    const model = await fetch(`http://127.0.0.1:${port}${modelPath(modelNameIn(token)!)}`);
    return model.ok && Buffer.from(await model.arrayBuffer()).toString('latin1');
  };

  const first = await start();
  const ada = await Visitor.join(first.port);
  const printed: string[] = [];
  for (const [i, seed] of [
    { from: 'gallery', index: 3 },
    { from: 'prior', throw: 1 },
    { from: 'gallery', index: first.world.rooms.get('garden')!.species.gallery.length - 1 },
  ].entries()) {
    expect(await plant(ada, 24 + 40 * i, seed)).not.toHaveProperty('reason');
    printed.push(await tokenOf(ada, roomOf(first, 'garden')));
  }
  const [named, nameless, withoutNamesake] = printed;
  const model = await modelOf(first, named);
  const { name } = roomOf(first, 'garden').species.gallery[3];
  ada.leave();
  await first.close();

  await replaceWeights();
  const second = await start({ rooms: 'garden,attic' });
  const [kept, fresh] = ['garden', 'attic'].map((room) => roomOf(second, room));
  expect(kept.species.gallery[3].name).toBe(name);
  expect(fresh.species.gallery[4].name).toBe(name);
  const ben = await Visitor.join(second.port);
  const eve = await Visitor.join(second.port, 'attic');
  // At home, and where the old weights live, each grows itself.
  expect(await modelOf(second, named)).toBe(model);
  expect(await plant(ben, 144, { from: 'token', token: nameless })).not.toHaveProperty('reason');
  expect(await tokenOf(ben, kept)).toBe(nameless);
  // Under new weights its namesake grows, and what has none is refused, also as a preview.
  expect(await plant(eve, 24, { from: 'token', token: named })).not.toHaveProperty('reason');
  expect(fresh.organisms.at(-1)).toMatchObject({ kind: name, origin: 'keepsake' });
  const ofNew = await tokenOf(eve, fresh);
  expect(modelNameIn(ofNew)).not.toBe(modelNameIn(named));
  expect(await modelOf(second, ofNew)).not.toBe(model);
  for (const token of [nameless, withoutNamesake]) {
    const seed = { from: 'token', token };
    expect(await plant(eve, 64, seed)).toMatchObject({ reason: 'bad-token' });
    expect(await eve.ask('preview', { seed })).toMatchObject({ reason: 'bad-token' });
  }
  // A new keepsake in the room that is kept.
  expect(await plant(ben, 184, { from: 'token', token: ofNew })).not.toHaveProperty('reason');
  expect(kept.organisms.at(-1)).toMatchObject({ kind: name, origin: 'keepsake' });
  for (const visitor of [ben, eve]) visitor.leave();
  await second.close();

  const third = await start({ rooms: 'garden,attic' });
  expect(roomOf(third, 'garden').organisms).toHaveLength(5);
  expect(roomOf(third, 'attic').organisms).toMatchObject([{ kind: name, origin: 'keepsake' }]);
  await third.close();
});

test('earlier weights that the host names as well are loaded once, and go by the name of their folder', async () => {
  for (const [checkpoint, other] of [
    [installed, earlier],
    [earlier, installed],
  ]) {
    const server = await start({ checkpoint, checkpoints: other, data: 'none' });
    const { checkpoints, rooms } = await (await hostOf(server)).call('state');
    expect(new Set(checkpoints.map(({ name }) => name))).toEqual(
      new Set(['interim-emoji', 'emoji-1']),
    );
    expect(checkpoints).toHaveLength(2);
    expect(rooms[0].checkpoint).toBe(checkpoint === installed ? 'interim-emoji' : 'emoji-1');
    await server.close();
  }
});
