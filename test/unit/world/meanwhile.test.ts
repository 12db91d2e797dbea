import { Meanwhile } from '../../../server/world/meanwhile.ts';
import { FakeClock } from '../../support/fakeClock.ts';

function start() {
  const clock = new FakeClock();
  const done: string[] = [];
  const meanwhile = new Meanwhile(clock, (error) => done.push(`${error}`));
  return { clock, meanwhile, done, work: (name: string) => () => void done.push(name) };
}

test('what was put off is done when there is time, and once', async () => {
  const { clock, meanwhile, done, work } = start();
  meanwhile.putOff(work('frames'));
  expect(done).toEqual([]);
  meanwhile.do();
  meanwhile.do();
  await clock.advance(1_000);
  expect(done).toEqual(['frames']);
  expect(clock.waiting).toBe(0);
});

test('it is done before long in any case', async () => {
  const { clock, meanwhile, done, work } = start();
  meanwhile.putOff(work('frames'));
  await clock.advance(10);
  expect(done).toEqual(['frames']);
});

test('what is put off later is done later', () => {
  const { meanwhile, done, work } = start();
  meanwhile.putOff(work('one'));
  meanwhile.putOff(work('other'));
  expect(done).toEqual(['one']);
  meanwhile.do();
  expect(done).toEqual(['one', 'other']);
});

test('work that fails is told of, and throws at nobody', () => {
  const { meanwhile, done } = start();
  meanwhile.putOff(() => {
    throw new Error('broken');
  });
  meanwhile.do();
  meanwhile.do();
  expect(done).toEqual(['Error: broken']);
});
