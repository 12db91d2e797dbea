/** A stored room goes on with its own weights and size, whatever is installed since. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suiteFolder } from '../support/closing.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { Visitor } from '../support/visitor.ts';

const SMALL = 'test/fixtures/checkpoints/small';
const scratch = suiteFolder();
const installed = join(scratch, 'installed');

const start = (...more: string[]): ServerProcess =>
  new ServerProcess([
    ...flagsOf({ port: 0, host: '127.0.0.1', energy: 'off', attract: 'off' }),
    ...['--data', join(scratch, 'data'), ...more],
  ]);

/** What `git pull` does when a release has other weights. */
function retrain(): void {
  const file = join(installed, 'card.json');
  const { identity: _, ...card } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...card, trustedSteps: 77 }));
}

test('a room goes on with its weights and size when the installed checkpoint has changed', async () => {
  cpSync(SMALL, installed, { recursive: true });
  const first = start('--size', '256x256', '--checkpoint', installed);
  const visitor = await Visitor.join(await first.alive());
  const seed = { from: 'prior' };
  expect(await visitor.ask('plant', { x: 48, y: 48, seed })).not.toHaveProperty('reason');
  visitor.leave();
  await first.end();

  retrain();
  const second = start('--checkpoint', installed, '--rooms', 'garden,attic');
  const port = await second.alive();
  expect(second.output).toMatch(/Room "garden" is restored: 1 organism/);
  const other = await Visitor.join(port);
  const { room, organisms, checkpoint } = other.welcome!;
  expect([room.width, room.height, organisms.length]).toEqual([256, 256, 1]);
  // Seeds on keepsakes name the checkpoint.
  expect(checkpoint.name).toBe('small');
  expect(await other.ask('plant', { x: 20, y: 20, seed })).not.toHaveProperty('reason');
  const sheet = await fetch(`http://127.0.0.1:${port}${checkpoint.sheet.url}`);
  expect(sheet.status).toBe(200);
  const newcomer = await Visitor.join(port, 'attic');
  expect(newcomer.welcome!.room).toMatchObject({ width: 336, height: 192 });
  expect(newcomer.welcome!.checkpoint.sheet.url).not.toBe(checkpoint.sheet.url);
  for (const one of [other, newcomer]) one.leave();
  await second.end();

  // Not even the same checkpoint is installed any more.
  rmSync(installed, { recursive: true });
  const third = start();
  const later = await Visitor.join(await third.alive());
  expect(later.welcome!.organisms).toHaveLength(2);
  later.leave();
  await third.end();
});

test.each([
  [['--size', '128x128'], /^The room "garden" has 256x256 cells, not 128x128\. .*\n$/],
  [
    ['--checkpoint', 'checkpoints/organisms'],
    /^The room "garden" grows from the checkpoint "small" and .*\n$/,
  ],
])('asked for explicitly, another one is refused: %p', async (flags, sentence) => {
  const server = start(...flags);
  expect((await server.ended).code).toBe(1);
  expect(server.errors).toMatch(sentence);
});
