/**
 * Opening hours: what walls and phones are told, and the server exiting for its supervisor to
 * restart it.
 */

import { RESTART_CODE } from '../../server/operations/supervisor.ts';
import type { Schedule } from '../../shared/host/opening-hours.ts';
import { HostClient } from '../support/host-client.ts';
import { fullTest } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const CLOSED: Schedule = {
  on: true,
  days: Array(7).fill(null),
  exceptions: [],
  outside: 'dim',
  farewell: false,
  restart: null,
};

const isDim = (visitor: Visitor): boolean => visitor.all('settings').at(-1)!.dim;

const { server, room, join } = await suiteServer({ ...SMALL, size: '64x64' });
const host = await hostOf(server);

test('after closing time walls go dim; visitors may stay, or are disconnected until opening time', async () => {
  const [ada, wall] = [await join(), await join(undefined, { as: 'wall' })];
  expect(isDim(wall)).toBe(false);

  expect(await host.call('setSchedule', CLOSED)).toEqual(CLOSED);
  for (const one of [wall, ada]) await one.until(() => isDim(one));
  expect(await host.call('state')).toMatchObject({ dim: true, next: null, schedule: CLOSED });
  expect(await ada.ask('damage', { radius: 1, points: [5, 5] })).not.toHaveProperty('reason');

  await host.call('setSchedule', { ...CLOSED, outside: 'close' });
  expect(await ada.refusal()).toBe('room-closed');
  expect(await Visitor.knock(server.port)).toBe('room-closed');
  // The wall is still shown the room, which lives on.
  const { tick } = room;
  await wall.until(() => room.tick > tick + 3);
  expect(wall.socket.connected).toBe(true);
  // So are rooms that are made at night.
  const attic = { name: 'attic', width: 64, height: 64, checkpoint: 'small' };
  await host.call('createRoom', attic);
  expect(await Visitor.knock(server.port, { room: 'attic' })).toBe('room-closed');

  // Nothing would start this server again, so that it does not restart.
  await host.call('setSchedule', { ...CLOSED, on: false, restart: '04:00' });
  expect(await host.call('state')).toMatchObject({ supervised: false, next: null });
  await host.call('setSchedule', { ...CLOSED, on: false });
  await wall.until(() => !isDim(wall));
  await join();
  for (const days of [[], Array(7).fill({ from: '9:00', to: '18:00' })]) {
    expect(await host.refusal('setSchedule', { ...CLOSED, days })).toBe('bad-call');
  }
});

// `npm test` has the schedule's unit tests, and a server that ends for its supervisor (connections.test.ts).
fullTest('a supervised server exits at its restart time, with its own exit code', async () => {
  // By its own clock it is fifteen seconds before a minute when it begins.
  const minute = 60_000;
  const soon = new Date(Math.ceil((Date.now() + minute) / minute) * minute);
  const shift = soon.getTime() - 15_000 - Date.now();
  const settings = {
    ...{ ...SMALL, data: 'none', port: 0, size: '64x64', supervised: 'yes', host: '127.0.0.1' },
  };
  const watched = new ServerProcess(
    flagsOf(settings),
    `export VIVARIUM_TEST_SHIFT=${shift} NODE_OPTIONS="--import ./test/support/shifted-date.mjs"`,
  );
  const port = await watched.alive();
  const watchedHost = await HostClient.login(port, await watched.hostToken());
  // The next minute that is far enough off to be told of, however long the server took to start.
  const at = new Date(Math.ceil((Date.now() + shift + 5_000) / minute) * minute);
  const restart = [at.getHours(), at.getMinutes()].map((n) => `${n}`.padStart(2, '0')).join(':');
  await watchedHost.call('setSchedule', { ...CLOSED, on: false, restart });
  const state = { supervised: true, next: { what: 'restart' } };
  expect(await watchedHost.call('state')).toMatchObject(state);
  expect(await watched.ended).toEqual({ code: RESTART_CODE, signal: null });
  expect(watched.output).toContain('The nightly restart begins.');
});
