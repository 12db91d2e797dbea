/** Opening hours: what walls and phones are told, and the server exiting for its supervisor to restart it. */
import { RESTART_CODE } from '../../server/operations/supervisor.ts';
import type { Schedule } from '../../shared/host/settings.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { HostClient } from '../support/host-client.ts';
import { ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const CLOSED: Schedule = { on: true, days: Array(7).fill(null), outside: 'dim', restart: null };

const settingsOf = (visitor: Visitor): Event<'settings'> =>
  visitor.heard.findLast(({ name }) => name === 'settings')!.message as Event<'settings'>;

test('after closing time walls go dim; visitors may stay, or are disconnected until opening time', async () => {
  const server = await startServer({ size: '64x64' });
  const host = await HostClient.login(server.port, server.hostToken!);
  const ada = await Visitor.join(server.port);
  const wall = new Visitor(server.port);
  wall.send('join', { protocol: PROTOCOL_VERSION, room: 'garden', as: 'wall' });
  await wall.until(() => wall.heard.some(({ name }) => name === 'settings'));
  expect(settingsOf(wall).dim).toBe(false);

  expect(await host.call('setSchedule', CLOSED)).toEqual(CLOSED);
  await wall.until(() => settingsOf(wall).dim);
  await ada.until(() => settingsOf(ada).dim);
  expect(await host.call('state')).toMatchObject({ dim: true, next: null, schedule: CLOSED });
  expect(await ada.ask('damage', { radius: 1, points: [5, 5] })).not.toHaveProperty('reason');

  await host.call('setSchedule', { ...CLOSED, outside: 'close' });
  expect(await ada.next(({ name }) => name === 'rejected')).toMatchObject({
    reason: 'room-closed',
  });
  const bo = new Visitor(server.port);
  bo.send('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
  expect(await bo.next(({ name }) => name === 'rejected')).toMatchObject({ reason: 'room-closed' });
  // The wall is still shown the room, which lives on.
  const room = server.world.rooms.get('garden')!;
  const { tick } = room;
  await wall.until(() => room.tick > tick + 3);
  expect(wall.socket.connected).toBe(true);
  // So are rooms that are made at night.
  const attic = { name: 'attic', width: 64, height: 64, checkpoint: 'organisms' };
  await host.call('createRoom', attic);
  const cyd = new Visitor(server.port);
  cyd.send('join', { protocol: PROTOCOL_VERSION, room: 'attic' });
  expect(await cyd.next(({ name }) => name === 'rejected')).toMatchObject({
    reason: 'room-closed',
  });

  await host.call('setSchedule', { ...CLOSED, on: false });
  await wall.until(() => !settingsOf(wall).dim);
  const dan = await Visitor.join(server.port);
  dan.leave();
  wall.leave();
  for (const days of [
    [],
    Array(7).fill({ from: '18:00', to: '09:00' }),
    Array(7).fill({ from: '9:00', to: '18:00' }),
  ]) {
    expect(await host.refusal('setSchedule', { ...CLOSED, days })).toBe('bad-call');
  }
  await server.close();
});

test('a supervised server exits at its restart time, with its own exit code', async () => {
  // By its own clock it is twenty-five seconds before a minute when it begins.
  const minute = 60_000;
  const soon = new Date(Math.ceil((Date.now() + minute) / minute) * minute);
  const shift = soon.getTime() - 25_000 - Date.now();
  const settings = { data: 'none', port: 0, size: '64x64', supervised: 'yes', host: '127.0.0.1' };
  const watched = new ServerProcess(
    Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, `${value}`]),
    `export VIVARIUM_TEST_SHIFT=${shift} NODE_OPTIONS="--import ./test/support/shifted-date.mjs"`,
  );
  const port = await watched.alive();
  await watched.says(/shown this once: [\w-]+/);
  const token = /shown this once: ([\w-]+)/.exec(watched.output)![1];
  const host = await HostClient.login(port, token);
  // The next minute that is far enough off to be told of, however long the server took to start.
  const at = new Date(Math.ceil((Date.now() + shift + 10_000) / minute) * minute);
  const restart = [at.getHours(), at.getMinutes()].map((n) => `${n}`.padStart(2, '0')).join(':');
  await host.call('setSchedule', { ...CLOSED, on: false, restart });
  expect((await host.call('state')).next).toMatchObject({ what: 'restart' });
  expect(await watched.ended).toEqual({ code: RESTART_CODE, signal: null });
  expect(watched.output).toContain('The nightly restart begins.');
});
