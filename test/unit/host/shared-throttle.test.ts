/** Who guesses the host's token at several servers behind one balancer. */

import { LoginThrottle } from '../../../server/host/host-sessions.ts';
import { shareThrottle } from '../../../server/host/shared-throttle.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const { free, firstDelay } = DEFAULTS.login;

async function open() {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const servers = [new LoginThrottle(), new LoginThrottle()];
  const ends = await Promise.all(servers.map((one) => shareThrottle(one, bus, clock)));
  const [a, b] = servers;
  const fail = async (one: LoginThrottle): Promise<number> => {
    const delay = one.fail('guesser', clock.now());
    await clock.advance(0);
    return delay;
  };
  return { clock, a, b, ends, fail };
}

test('wrong tokens count at all servers, and each only once', async () => {
  const { clock, a, b, fail } = await open();
  for (let i = 1; i < free; i++) expect(await fail(i % 2 ? a : b)).toBe(0);
  expect(await fail(a)).toBe(firstDelay);
  expect([a, b].map((one) => one.wait('guesser', clock.now()))).toEqual([firstDelay, firstDelay]);
  expect(b.wait('somebody else', clock.now())).toBe(0);
});

test('a correct token clears an address at all servers', async () => {
  const { clock, a, b, fail } = await open();
  for (let i = 0; i < free; i++) await fail(a);
  b.succeed('guesser');
  await clock.advance(0);
  expect(a.wait('guesser', clock.now())).toBe(0);
});

test('a server that shares no more counts alone', async () => {
  const { clock, a, b, ends, fail } = await open();
  ends[1]();
  for (let i = 0; i < free; i++) await fail(a);
  expect(b.wait('guesser', clock.now())).toBe(0);
});
