import { openAlerts } from '../../../../server/operations/alerts/open-alerts.ts';
import { silentLog } from '../../../../server/platform/log.ts';
import { openMemory } from '../../../../server/storage/records.ts';
import { Store } from '../../../../server/storage/store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const MINUTE = 60_000;
const FINE = {
  ...{ rooms: () => [], single: () => [], refusesAll: () => undefined },
  ...{ isPersisting: () => true, diskLow: () => undefined },
};

/** Processes of one server, one after the other; what is stored outlives them. */
function house() {
  const clock = new FakeClock();
  const store = new Store(openMemory());
  const begin = (sources: Partial<typeof FINE> & object = {}, record = 'alerts') =>
    openAlerts({
      ...{ clock, date: () => 1e12 + clock.now(), log: silentLog, store, record, url: undefined },
      sources: { ...FINE, ...sources },
    });
  return { clock, store, begin };
}

test('a start after a stop is told from one after a crash, and is over after a minute', async () => {
  const { clock, begin } = house();
  const first = await begin();
  await clock.advance(0);
  expect(first.open).toMatchObject([
    { alert: 'server-restarted', severity: 'info', text: 'The server has started.' },
  ]);
  await clock.advance(2 * MINUTE);
  expect(first.open).toEqual([]);
  await first.close();
  expect(clock.waiting).toBe(0);

  const second = await begin();
  await clock.advance(0);
  expect(second.open).toMatchObject([{ severity: 'info' }]);
  await clock.advance(2 * MINUTE);
  // It ends without a word.
  const third = await begin();
  await clock.advance(0);
  expect(third.open).toMatchObject([
    { severity: 'warning', text: expect.stringContaining('ended unexpectedly') },
  ]);
});

test('servers with one store do not take the alerts of each other for theirs', async () => {
  const { clock, begin } = house();
  const noDisk = { diskLow: () => 'Only 20 MB are left.' as never };
  const first = await begin(noDisk, 'alerts/hall:8080');
  const second = await begin({}, 'alerts/hall:8081');
  await clock.advance(2 * MINUTE);
  await second.close();
  expect(first.open).toMatchObject([{ alert: 'disk-low' }]);
  const again = await begin(noDisk, 'alerts/hall:8080');
  expect(again.open).toEqual(first.open);
});

test('what cannot be read of earlier alerts does not keep the server from starting', async () => {
  const { clock, store, begin } = house();
  await store.putServerRecord('alerts', { open: 'all' });
  const alerts = await begin();
  await clock.advance(0);
  expect(alerts.open).toHaveLength(1);
});

test('each source is looked at: full rooms, no connections, failing storage, too little space', async () => {
  const { clock, begin } = house();
  const pace = { tickRate: 15, actual: 4, slow: true };
  const alerts = await begin({
    rooms: () => [{ name: 'garden', pace, turnsAway: true }] as never,
    refusesAll: () => 'all connections are in use.' as never,
    isPersisting: () => false,
    diskLow: () => 'Only 20 MB are left.' as never,
  });
  await clock.advance(2 * MINUTE);
  const texts = alerts.open.map(({ alert, room = '', text }) => `${alert} ${room}: ${text}`);
  expect(texts.sort()).toEqual([
    'disk-low : Only 20 MB are left.',
    'nobody-can-join : Nobody can join: all connections are in use.',
    'nobody-can-join garden: Nobody can join the room "garden": it and its queue are full.',
    'not-kept : Changes are not stored: they are lost if the server restarts. The log says why.',
    'slow garden: Room "garden" is slow: 4.0 of 15 ticks per second.',
  ]);
});
