/** Operating the server: stop, restart, SIGSTOP, and a full disk. */

import { join } from 'node:path';
import { suiteFolder } from '../support/closing.ts';
import { limitOnceStored, MAY_BE_LIMITED } from '../support/file-limit.ts';
import { fullTest, isFull } from '../support/full.ts';
import { SMALL } from '../support/organisms.ts';
import { ServerProcess } from '../support/process.ts';
import { Visitor } from '../support/visitor.ts';

const scratch = suiteFolder();

function start(name: string, more: readonly string[] = [], before = ''): ServerProcess {
  const data = join(scratch, name);
  const args = ['--port', '0', '--host', '127.0.0.1', '--size', '96x96', '--data', data];
  const own = ['--energy', 'off', '--checkpoint', SMALL.checkpoint];
  return new ServerProcess([...args, ...own, ...more], before);
}

test('stopped during ticks and restarted, a room has every organism that was planted', async () => {
  const first = start('twice');
  const port = await first.alive();
  const visitor = await Visitor.join(port);
  const planted: number[] = [];
  const places = [16, 48, 80].flatMap((x) => [16, 48, 80].map((y) => [x, y]));
  for (const [i, [x, y]] of places.entries()) {
    visitor.say('plant', { id: i + 1, x, y, seed: { from: 'gallery', index: i } });
    // While the first of them are answered, the later ones come in, and ticks go on.
    if (i === 3) await visitor.next(({ name }) => name === 'accepted');
    if (i === 5) first.child.kill('SIGTERM');
  }
  await visitor.until(() => visitor.heard.some(({ name }) => name === 'disconnect'));
  for (const { name, message } of visitor.heard) {
    if (name === 'accepted') planted.push((message as { id: number }).id);
  }
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const phases = [...first.output.matchAll(/Closing: (.*)\./g)].map(([, phase]) => phase);
  expect(phases).toEqual([
    'new connections are refused',
    'the last tick has ended',
    'previews have stopped',
    'rooms are saved',
    'host records are saved',
    'clients are disconnected',
    'OSC has stopped',
    'extensions have stopped',
    'the engine has stopped',
    'the store is closed',
    'metrics have stopped',
  ]);

  const again = start('twice');
  const other = await Visitor.join(await again.alive());
  const second = start('twice');
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.errors).toMatch(
    /^Another server uses the data in .*\. Stop that server, .* with --data\.\n$/,
  );
  expect(planted.length).toBeGreaterThan(0);
  expect(other.welcome!.organisms.length).toBeGreaterThanOrEqual(planted.length);
  expect(again.output).toMatch(/Room "garden" is restored: \d+ organisms?, tick \d+\./);
  // Numbers are never reused, because they identify planters.
  const { you, organisms } = other.welcome!;
  for (const { planter } of organisms) expect(planter.id).not.toBe(you.id);
  other.leave();
  await again.end();
});

test('a data folder that cannot be made is refused with one sentence', async () => {
  const file = new ServerProcess(['--port', '0', '--data', 'package.json']);
  expect((await file.ended).code).toBe(1);
  expect(file.errors).toMatch(
    /^The folder package.json cannot be created \(EEXIST\)\. Choose another folder with --data\.\n$/,
  );
});

test('after SIGSTOP and SIGCONT it continues where it was', async () => {
  const server = start('stopped', ['--log', 'json']);
  await server.says(/"event":"alive"/);
  const port = Number(/"port":(\d+)/.exec(server.output)![1]);
  const visitor = await Visitor.join(port, 'garden', 'Zebulon');
  const tick = visitor.tick!;
  server.child.kill('SIGSTOP');
  await new Promise((wake) => setTimeout(wake, isFull ? 30_000 : 2_000));
  server.child.kill('SIGCONT');
  // After half a minute the server may have closed the visitor's own connection.
  const later = isFull ? await Visitor.join(port, 'garden', 'Zebulon') : visitor;
  const answer = await later.ask('plant', { x: 40, y: 40, seed: { from: 'prior' } });
  expect(answer).not.toHaveProperty('reason');
  await later.until(() => later.tick! > tick + 15);
  later.leave();
  expect((await server.end()).code).toBe(0);
  const lines = server.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const line of lines) expect(line).toMatchObject({ event: expect.any(String) });
  expect(server.output + server.errors).not.toMatch(/Zebulon|127\.0\.0\.1/);
});

// In alerts.test.ts a full disk is reported and got over, in disk-full.test.ts the server is killed meanwhile.
fullTest('on a full disk it goes on and reports it; earlier data survives a kill', async () => {
  const digits = ['--checkpoint', 'checkpoints/digits'];
  const server = start('full', ['--snapshot', '0.05', ...digits], MAY_BE_LIMITED);
  const visitor = await Visitor.join(await server.alive());
  const first = await visitor.ask('plant', { x: 30, y: 30, seed: { from: 'gallery', index: 1 } });
  expect(first).not.toHaveProperty('reason');
  for (const x of [16, 48, 80]) {
    for (const y of [16, 48, 80]) await visitor.ask('plant', { x, y, seed: { from: 'prior' } });
  }
  // The organisms grow, and damage wakes them, so that their cells have to be stored again.
  let isFull = false;
  for (let i = 0; !server.errors.includes('not-kept'); i++) {
    if (!isFull) isFull = limitOnceStored(server, join(scratch, 'full'));
    await visitor.ask('damage', { radius: 1, points: [16, 8 + (i % 80), 80, 8 + (i % 80)] });
  }
  expect(server.errors).toMatch(/not-kept: The disk is full .* Earlier changes are stored\./);
  const answer = await visitor.ask('damage', { radius: 3, points: [30, 30] });
  expect(answer).not.toHaveProperty('reason');
  visitor.leave();
  await server.end('SIGKILL');
  const again = start('full', digits);
  const other = await Visitor.join(await again.alive());
  expect(other.welcome!.room.tick).toBeGreaterThan(0);
  expect(other.welcome!.organisms.length).toBeGreaterThan(0);
  other.leave();
  await again.end();
});
