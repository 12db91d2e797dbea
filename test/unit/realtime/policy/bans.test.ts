import { Bans } from '../../../../server/realtime/policy/bans.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const { unmarkedSeconds, slowedSeconds } = DEFAULTS.bans;
const HOUR = 3_600_000;

test('newcomers after a ban come in as slowly, and for as long, when the wall clock is set', () => {
  const clock = new FakeClock();
  let date = 1_000 * HOUR;
  const bans = new Bans({ secret: new Uint8Array(32), date: () => date, clock });
  const address = '10.1.1.1';
  bans.add({ room: 'garden', participant: 1, name: 'Eve', address, wholeAddress: false });
  const knock = (): boolean => bans.admitsUnmarked(address);
  expect([knock(), knock()]).toEqual([true, false]);
  date -= HOUR;
  clock.spend(1_000 * unmarkedSeconds);
  expect([knock(), knock()]).toEqual([true, false]);
  date += 2 * HOUR;
  expect(knock()).toBe(false);
  clock.spend(1_000 * slowedSeconds);
  expect([knock(), knock()]).toEqual([true, true]);
});
