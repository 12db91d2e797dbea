/** Stored rooms go on with their own weights and size, whatever is installed since; tokens of other weights are refused. */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { writeCheckpoint } from '../../server/training/run/export.ts';
import { identityOf, loadModel } from '../../server/vnca/checkpoint.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { identityInToken, modelPath } from '../../shared/seed-token.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { LogRecorder } from '../support/receivers.ts';
import { type ServerSettings, startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const data = join(suiteFolder(), 'data');
const own = { data, energy: 'off', attract: 'off' };
const installed = join(suiteFolder(), 'installed');

async function start(settings: ServerSettings = {}) {
  const log = new LogRecorder();
  const server = await startServer({ ...own, ...settings }, { log });
  afterTest(() => server.close());
  return { server, log };
}

/** What `git pull` does when a release has another card. */
function retrain(): void {
  const file = join(installed, 'card.json');
  const { identity: _, ...card } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...card, trustedSteps: 77 }));
}

test('a room goes on with its weights and size when the installed checkpoint has changed', async () => {
  cpSync(SMALL.checkpoint, installed, { recursive: true });
  const { server: first } = await start({ size: '256x256', checkpoint: installed });
  const visitor = await Visitor.join(first.port);
  const seed = { from: 'prior' };
  await visitor.plant(48, 48, seed);
  visitor.leave();
  await first.close();

  retrain();
  const { server: second, log } = await start({ checkpoint: installed, rooms: 'garden,attic' });
  expect(log.lines.map(({ sentence }) => sentence).join()).toContain('"garden" is restored: 1 org');
  const other = await Visitor.join(second.port);
  const { room, organisms, checkpoint } = other.welcome!;
  expect([room.width, room.height, organisms.length]).toEqual([256, 256, 1]);
  // Seeds on keepsakes name the checkpoint.
  expect(checkpoint.name).toBe('small');
  await other.plant(20, 20, seed);
  const sheet = await fetch(`http://127.0.0.1:${second.port}${checkpoint.sheet.url}`);
  expect(sheet.status).toBe(200);
  const newcomer = await Visitor.join(second.port, 'attic');
  expect(newcomer.welcome!.room).toMatchObject({ width: 336, height: 192 });
  expect(newcomer.welcome!.checkpoint.sheet.url).not.toBe(checkpoint.sheet.url);
  for (const one of [other, newcomer]) one.leave();
  await second.close();

  // No checkpoint of this name is installed any more.
  rmSync(installed, { recursive: true });
  const { server: third } = await start({ checkpoint: undefined });
  const later = await Visitor.join(third.port);
  expect(later.welcome!.organisms).toHaveLength(2);
  later.leave();
});

test.each([
  [
    { checkpoint: undefined, size: '128x128' },
    /^The room "garden" has 256x256 cells, not 128x128\. .*$/,
  ],
  [
    { checkpoint: CHECKPOINT_FOLDER },
    /^The room "garden" grows from the checkpoint "small" and .*$/,
  ],
])('asked for explicitly, another one is refused: %p', async (settings, sentence) => {
  await expect(start(settings)).rejects.toThrow(sentence);
});

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
  cpSync(SMALL.checkpoint, installed, { recursive: true });
  rmSync(data, { recursive: true });
  const settings = { ...own, checkpoint: installed };
  const tokenOf = async (visitor: Visitor, organism: number) =>
    ((await visitor.ask('keep', { organism })) as Event<'accepted'>).token!;
  const modelOf = async ({ port }: VivariumServer, token: string) => {
    const model = await fetch(`http://127.0.0.1:${port}${modelPath(identityInToken(token)!)}`);
    return model.ok && weightsIn(Buffer.from(await model.arrayBuffer()));
  };
  const creature = { from: 'gallery', index: 3 };

  const first = await startServer(settings);
  const ada = await Visitor.join(first.port);
  const printed = await tokenOf(ada, await ada.plant(24, 24, creature));
  const model = await modelOf(first, printed);
  ada.leave();
  await first.close();

  await replaceWeights();
  const second = await startServer({ ...settings, rooms: 'garden,attic' });
  const ben = await Visitor.join(second.port);
  const eve = await Visitor.join(second.port, 'attic');
  expect(await modelOf(second, printed)).toBe(model);
  const seed = { from: 'token', token: printed };
  expect(await tokenOf(ben, await ben.plant(144, 24, seed))).toBe(printed);
  const refused = { reason: 'bad-token', detail: 'it grows from other weights' };
  expect(await eve.ask('plant', { x: 64, y: 24, seed })).toMatchObject(refused);
  expect(await eve.ask('preview', { seed })).toMatchObject(refused);

  const ofNew = await tokenOf(eve, await eve.plant(24, 24, creature));
  expect(identityInToken(ofNew)).not.toBe(identityInToken(printed));
  expect(await modelOf(second, ofNew)).not.toBe(model);
  const other = { from: 'token', token: ofNew };
  expect(await ben.ask('plant', { x: 184, y: 24, seed: other })).toMatchObject(refused);
  for (const visitor of [ben, eve]) visitor.leave();
  await second.close();
});
