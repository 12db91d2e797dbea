import { DeferredWork } from '../../../server/world/deferred-work.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function start() {
  const clock = new FakeClock();
  const done: string[] = [];
  const deferredWork = new DeferredWork(clock, (error) => done.push(`${error}`));
  return {
    clock,
    meanwhile: deferredWork,
    done,
    work: (name: string) => () => void done.push(name),
  };
}

test('what was put off is done when there is time, and once', async () => {
  const { clock, meanwhile: deferredWork, done, work } = start();
  deferredWork.defer(work('frames'));
  expect(done).toEqual([]);
  deferredWork.run();
  deferredWork.run();
  await clock.advance(1_000);
  expect(done).toEqual(['frames']);
  expect(clock.waiting).toBe(0);
});

test('it is done before long in any case', async () => {
  const { clock, meanwhile: deferredWork, done, work } = start();
  deferredWork.defer(work('frames'));
  await clock.advance(10);
  expect(done).toEqual(['frames']);
});

test('what is put off later is done later', () => {
  const { meanwhile: deferredWork, done, work } = start();
  deferredWork.defer(work('one'));
  deferredWork.defer(work('other'));
  expect(done).toEqual(['one']);
  deferredWork.run();
  expect(done).toEqual(['one', 'other']);
});

test('work that fails is told of, and throws at nobody', () => {
  const { meanwhile: deferredWork, done } = start();
  deferredWork.defer(() => {
    throw new Error('broken');
  });
  deferredWork.run();
  deferredWork.run();
  expect(done).toEqual(['Error: broken']);
});
