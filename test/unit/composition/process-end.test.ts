import { ProcessEnd } from '../../../server/composition/process-end.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function start() {
  const clock = new FakeClock();
  const said: (string | number)[] = [];
  let closed = (): void => {};
  const end = new ProcessEnd({
    ...{ clock, longest: 20_000, exit: (code) => said.push(code) },
    close: () => {
      said.push('closing');
      return new Promise((resolve) => void (closed = resolve));
    },
    onTooSlow: () => said.push('too slow'),
    onFailure: () => said.push('failed'),
  });
  return { clock, said, end, closed: () => closed() };
}

test('a signal during a restart does not cut it short, and a second one does', async () => {
  const { clock, said, end, closed } = start();
  end.begin(75);
  await clock.advance(5_000);
  end.signal();
  await clock.advance(500);
  // The same one, forwarded by npm.
  end.signal();
  expect(said).toEqual(['closing']);
  await clock.advance(1_000);
  end.signal();
  expect(said).toEqual(['closing', 1]);
  closed();
  await clock.advance(0);
  expect(said).toEqual(['closing', 1, 75]);
});

test('closing that takes too long is cut short', async () => {
  const { clock, said, end } = start();
  end.signal();
  await clock.advance(20_000);
  expect(said).toEqual(['closing', 'too slow', 1]);
});
