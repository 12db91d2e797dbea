/** Alerts by webhook: real servers that post to a real receiver. */
import { setTimeout as pause } from 'node:timers/promises';
import { ALERTS } from '../../server/operations/alerts.ts';
import { silentLog } from '../../server/platform/log.ts';
import { suiteFolder } from '../support/closing.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { AlertReceiver, faultsOf } from '../support/receivers.ts';
import { type ServerSettings, startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { generousTimeout } from '../support/waiting.ts';

let receiver: AlertReceiver;

beforeEach(async () => {
  receiver = await AlertReceiver.open();
});

afterEach(async () => {
  expect(receiver.faults).toEqual([]);
  await receiver.close();
});

function start(data: string, settings: ServerSettings = {}): ServerProcess {
  const usual = { port: 0, host: '127.0.0.1', size: '96x96', energy: 'off', ...SMALL };
  return new ServerProcess(flagsOf({ ...usual, data, alerts: receiver.url, ...settings }));
}

test('the schema names all alerts, and refuses what is none', async () => {
  const message = {
    ...{ version: 1, id: '5ff9f1b8-4dd1-4a54-9ba7-c5a1d2f0d3d2', server: 'hall', alert: 'slow' },
    ...{ state: 'raised', severity: 'warning', text: 'slow' },
    ...{ since: '2026-11-27T02:00:00.000Z', at: '2026-11-27T02:00:00.000Z' },
  };
  for (const alert of Object.keys(ALERTS)) expect(faultsOf({ ...message, alert })).toEqual([]);
  for (const wrong of [{ alert: 'fire' }, { at: 'now' }, { visitor: 'Ada' }, { text: 3 }]) {
    expect(faultsOf({ ...message, ...wrong })).toHaveLength(1);
  }
});

test('a server says that it started, and that it started after a crash, once; what could not be sent is sent later, by the next if need be', async () => {
  const statuses = [503, 500];
  receiver.answer = (response) => response.writeHead(statuses.shift() ?? 200).end('thank you');
  const data = suiteFolder();
  const first = start(data, { log: 'json' });
  await receiver.until(() => receiver.messages.length === 3);
  expect(new Set(receiver.messages.map(({ id }) => id)).size).toBe(1);
  const started = await receiver.hears('raised server-restarted');
  expect(started).toMatchObject({ severity: 'info', text: 'The server has started.' });
  await first.says(/alert-not-sent/);
  await first.end('SIGKILL');
  expect(first.output + first.errors).not.toContain('secret');

  // The first alert is not over yet, but this is worse.
  receiver.answer = (response) => {
    // The first may come again, if the server had not stored yet that it was delivered.
    response.writeHead(receiver.messages.at(-1)!.id === started.id ? 204 : 503).end();
  };
  const second = start(data);
  await receiver.until(() => receiver.messages.some(({ severity }) => severity === 'warning'));
  const crashed = receiver.messages.at(-1)!;
  expect(crashed.text).toMatch('crashed or was killed');
  expect(crashed.id).not.toBe(started.id);
  await second.end('SIGKILL');

  receiver.messages.length = 0;
  receiver.answer = (response) => response.writeHead(204).end();
  const third = start(data);
  (await Visitor.join(await third.alive())).leave();
  await receiver.hears('raised server-restarted');
  expect((await third.end()).code).toBe(0);
  expect(new Set(receiver.heard)).toEqual(new Set(['raised server-restarted']));
  expect(new Set(receiver.messages.map(({ id }) => id))).toEqual(new Set([crashed.id]));
});

test('slow for a minute, and nobody can join: each once, and once that it is over', async () => {
  let isSlow = false;
  const clock = new FakeClock();
  const settings = {
    ...{ alerts: receiver.url, ...SMALL, size: '64x64', 'tick-rate': 2, metrics: 'same' },
    limits: 'connections=2,handshakeSeconds=600',
  };
  const onTick = (): void => {
    if (isSlow) clock.spend(1_000);
  };
  const server = await startServer(settings, { clock, onTick });
  const room = server.world.rooms.get('garden')!;
  let isClosed = false;
  // Time passes only between ticks, so a busy machine does not make the room slow.
  const time = (async () => {
    while (!isClosed) {
      const { tick } = room;
      await clock.advance(500);
      for (let wait = 0; room.tick === tick && wait < 50; wait++) await pause(1);
      // The webhook's requests and the visitors' connections take real time.
      await pause(5);
    }
  })();
  const gauge = async (): Promise<string[]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    return (await response.text()).match(/^vivarium_alert\{.*$/gm) ?? [];
  };
  const visitors = [await Visitor.join(server.port), await Visitor.join(server.port)];
  isSlow = true;
  const full = await receiver.hears('raised nobody-can-join');
  expect(full.text).toMatch(/^Nobody can join: all connections are in use\./);
  const slow = await receiver.hears('raised slow garden');
  expect(slow.text).toMatch(
    /^Room "garden" is slow: it runs at \d\.\d instead of 2 ticks per second\.$/,
  );
  expect(await gauge()).toContain('vivarium_alert{alert="slow",room="garden",wall=""} 1');
  isSlow = false;
  for (const visitor of visitors) visitor.leave();
  const over = await receiver.hears('cleared slow garden');
  expect(over.text).toBe('Room "garden": The room is no longer slow.');
  expect(over.since).toBe(slow.at);

  await receiver.hears('cleared nobody-can-join');
  await receiver.hears('cleared server-restarted');
  expect(new Set(receiver.heard).size).toBe(receiver.heard.length);
  expect(await gauge()).toEqual([]);
  await server.close();
  isClosed = true;
  await time;
});

test('a receiver that never answers delays neither ticks nor the end', async () => {
  receiver.answer = () => {};
  const settings = { alerts: receiver.url, ...SMALL, size: '64x64', 'tick-rate': 30 };
  const server = await startServer(settings);
  await receiver.hears('raised server-restarted');
  const visitor = await Visitor.join(server.port);
  const tick = visitor.tick!;
  await visitor.until(() => visitor.tick! > tick + 60);
  visitor.leave();
  const before = performance.now();
  await server.close();
  expect(performance.now() - before).toBeLessThan(5_000 * generousTimeout());
  expect(receiver.messages).toHaveLength(1);
});

test('only the URL of the settings is requested: no redirect is followed, no page shows or sets it', async () => {
  const inside = await AlertReceiver.open();
  receiver.answer = (response) => response.writeHead(307, { location: inside.url }).end();
  const lines: string[] = [];
  const warn = (event: string, text: string) => lines.push(`${event} ${text}`);
  const settings = { alerts: receiver.url, ...SMALL, size: '64x64' };
  const server = await startServer(settings, { log: { ...silentLog, warn } });
  await receiver.hears('raised server-restarted');
  const host = await HostClient.login(server.port, server.hostToken!);
  expect(JSON.stringify(await host.call('state'))).not.toContain('secret');
  const change = { alerts: inside.url };
  expect(await host.refusal('changeSettings', change, { room: 'garden' })).toBe('bad-call');
  await server.close();
  expect(inside.messages).toEqual([]);
  expect(lines).toEqual([
    'alert-dropped The receiver of --alerts rejected an alert (307), so the alert was dropped. Check the receiver and its URL.',
  ]);
  await inside.close();
});

test('the host tests the alerts, and hears whether the test arrived', async () => {
  const server = await startServer({ alerts: receiver.url, ...SMALL, size: '64x64' });
  const host = await HostClient.login(server.port, server.hostToken!);
  await host.call('testAlert');
  const { severity, text } = receiver.messages.find(({ alert }) => alert === 'test')!;
  expect([severity, text]).toEqual(['info', expect.stringContaining('This is a test alert')]);
  receiver.answer = (response) => response.writeHead(404).end();
  expect(await host.refusal('testAlert')).toBe('not-delivered');
  expect(await host.call('state')).toMatchObject({ hasAlerts: true });
  await server.close();
  const silent = await startServer({ ...SMALL, size: '64x64', metrics: 'same' });
  const other = await HostClient.login(silent.port, silent.hostToken!);
  expect(await other.refusal('testAlert')).toBe('no-alerts');
  const { hasAlerts, machine } = await other.call('state');
  expect(hasAlerts).toBe(false);
  expect(machine.memoryFree).toBeGreaterThan(1e6);
  await silent.close();
});
