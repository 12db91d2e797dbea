import type { Problem } from '../../../../server/operations/alerts/alert.ts';
import { openAlerts } from '../../../../server/operations/alerts/open-alerts.ts';
import { silentLog } from '../../../../server/platform/log.ts';
import { openMemory } from '../../../../server/storage/records.ts';
import { Store } from '../../../../server/storage/store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const MINUTE = 60_000;
const NO_DISK: Problem = { alert: 'disk-low', text: 'The disk is full.' };

/** Processes of one server, one after the other; what is stored outlives them. */
function newServer() {
  const clock = new FakeClock();
  const store = new Store(openMemory());
  const begin = (problems: Problem[] = [], record = 'alerts') =>
    openAlerts({
      ...{ clock, date: () => 1e12 + clock.now(), log: silentLog, store, record, url: undefined },
      problems: () => problems,
    });
  return { clock, store, begin };
}

test('a start after a stop is told from one after a crash, and is over after a minute', async () => {
  const { clock, begin } = newServer();
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
  const { clock, begin } = newServer();
  const first = await begin([NO_DISK], 'alerts/hall:8080');
  const second = await begin([], 'alerts/hall:8081');
  await clock.advance(2 * MINUTE);
  await second.close();
  expect(first.open).toMatchObject([{ alert: 'disk-low' }]);
  const again = await begin([NO_DISK], 'alerts/hall:8080');
  expect(again.open).toEqual(first.open);
});

test('what cannot be read of earlier alerts does not keep the server from starting', async () => {
  const { clock, store, begin } = newServer();
  await store.putServerRecord('alerts', { open: 'all' });
  const alerts = await begin();
  await clock.advance(0);
  expect(alerts.open).toHaveLength(1);
});
