/** Operating the server: start, stop, restart, kill and SIGSTOP, and what visitors find again afterwards. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ListenError } from '../../server/composition/listen.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { suiteFolder } from '../support/closing.ts';
import { decideAsHost, expectDecided, HostClient } from '../support/host-client.ts';
import { fullTest, isFull } from '../support/needs.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { type ServerSettings, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const start = (settings: ServerSettings, ...more: string[]): ServerProcess => {
  const usual = { port: 0, host: '127.0.0.1', size: '96x96', energy: 'off', ...SMALL };
  return new ServerProcess([...flagsOf({ ...usual, ...settings }), ...more]);
};

test('stopped during ticks and restarted, a room has every organism that was planted; on localhost only, the server shows no address for phones', async () => {
  const data = suiteFolder();
  const first = start({ data });
  const visitor = await Visitor.join(await first.alive());
  const places = [16, 48, 80].flatMap((x) => [16, 48, 80].map((y) => [x, y]));
  for (const [i, [x, y]] of places.entries()) {
    visitor.say('plant', { id: i + 1, x, y, seed: { from: 'gallery', index: i } });
    // While the first of them are answered, the later ones come in, and ticks go on.
    if (i === 3) await visitor.until(() => visitor.all('accepted').length > 0);
    if (i === 5) first.child.kill('SIGTERM');
  }
  await visitor.next(({ name }) => name === 'disconnect');
  const planted = visitor.all('accepted').length;
  expect(await first.ended).toEqual({ code: 0, signal: null });
  expect(first.output).toMatch(/this machine {3}http:\/\/localhost:\d+\/r\/garden/);
  expect(first.output).toContain('on the network no address');
  expect(first.output).not.toMatch(/on the network http|█/);
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

  const again = start({ data });
  const other = await Visitor.join(await again.alive());
  const second = start({ data });
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.errors).toMatch(
    /^Another server uses the data in .*\. Stop that server, .* with --data\.\n$/,
  );
  const { you, organisms } = other.welcome!;
  expect(organisms.length).toBeGreaterThanOrEqual(planted);
  expect(again.output).toMatch(/Room "garden" is restored: \d+ organisms?, tick \d+\./);
  // Numbers are never reused, because they identify planters.
  for (const { planter } of organisms) expect(planter.id).not.toBe(you.id);
  other.leave();
  await again.end();
});

test('a visitor who reconnects after a restart keeps number, energy and the seeds in hand', async () => {
  const data = suiteFolder();
  const settings = { data, size: '96x64', 'tick-rate': 30, energy: 'refillPerSecond=0', ...SMALL };
  const first = await startServer(settings);
  const [ada, bo] = [
    await Visitor.join(first.port, 'garden', 'Ada'),
    await Visitor.join(first.port, 'garden', 'Bo'),
  ];
  const id = await ada.plant(20, 20, { from: 'gallery', index: 3 });
  const { seed, energy } = (await ada.ask('cross', {
    a: id,
    b: id,
    mix: 0.5,
  })) as Event<'accepted'>;
  await first.close();

  const second = await startServer(settings);
  const mallory = await Visitor.join(second.port, 'garden', 'Mallory');
  expect(mallory.welcome!.you.id).toBeGreaterThan(bo.welcome!.you.id);
  const again = await Visitor.join(second.port, 'garden', 'Ada', { resume: ada.welcome!.resume });
  expect(again.welcome!.you).toEqual(ada.welcome!.you);
  expect(again.welcome!.energy.level).toBe(energy);
  await again.plant(60, 30, { from: 'hand', seed: seed!.id });
  const planted = second.world.rooms.get('garden')!.organisms.at(-1);
  expect(planted).toMatchObject({ origin: 'cross', planter: ada.welcome!.you });
  for (const visitor of [ada, bo, mallory, again]) visitor.leave();
  await second.close();
});

// cluster.test.ts has the same after an owner was killed, lmdb.test.ts writes after a kill.
fullTest(
  'after a kill, mutes, approved and waiting drawings and reports are as they were answered',
  async () => {
    const settings = {
      data: suiteFolder(),
      checkpoint: CHECKPOINT_FOLDER,
      'tick-rate': 60,
      attract: 'off',
      birth: 1,
    };
    const first = start(settings);
    const port = await first.alive();
    const enter = (at: number) => (resume?: string) =>
      Visitor.join(at, 'garden', undefined, resume === undefined ? {} : { resume });
    const decided = await decideAsHost(port, await first.hostToken(), enter(port));
    await first.end('SIGKILL');
    const second = start(settings);
    const later = await second.alive();
    await expectDecided(later, decided, enter(later));
    await second.end('SIGKILL');
  },
);

test('after SIGSTOP and SIGCONT it continues where it was', async () => {
  const server = start({ data: suiteFolder(), log: 'json' });
  await server.says(/"event":"alive"/);
  const port = Number(/"port":(\d+)/.exec(server.output)![1]);
  const visitor = await Visitor.join(port, 'garden', 'Zebulon');
  const tick = visitor.tick!;
  server.child.kill('SIGSTOP');
  await new Promise((wake) => setTimeout(wake, isFull ? 30_000 : 1_000));
  server.child.kill('SIGCONT');
  // After half a minute the server may have closed the visitor's own connection.
  const later = isFull ? await Visitor.join(port, 'garden', 'Zebulon') : visitor;
  await later.plant(40, 40, { from: 'prior' });
  await later.until(() => later.tick! > tick + 15);
  later.leave();
  expect((await server.end()).code).toBe(0);
  for (const line of server.output.trim().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ event: expect.any(String) });
  }
  expect(server.output + server.errors).not.toMatch(/Zebulon|127\.0\.0\.1/);
});

test('a failed start says which port is taken, and makes no token, even with --new-host-token; the first successful start shows one', async () => {
  // Another program, and its port.
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const taken = (other.address() as AddressInfo).port;
  const settings = { ...SMALL, size: '64x64', data: suiteFolder() };
  // The port of metrics is opened last.
  const error = await startServer({ ...settings, metrics: taken }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ListenError);
  expect(error.message).toMatch(/^--metrics: another program uses port \d+\. [^\n]*$/);
  const first = await startServer(settings);
  await hostOf(first);
  await first.close();
  const failed = start({ ...settings, port: taken }, '--new-host-token');
  expect((await failed.ended).code).toBe(1);
  expect(failed.errors).toMatch(/^--port: another program uses port \d+\. [^\n]*\n$/);
  const second = await startServer(settings);
  expect(second.hostToken).toBeUndefined();
  await HostClient.login(second.port, first.hostToken!);
  await second.close();
  other.close();
});

test('an address that cannot be is refused by name, in one sentence', async () => {
  await expect(startServer({ ...SMALL, host: '203.0.113.77' })).rejects.toThrow(
    /^--host: 203[^\n]*$/,
  );
});
