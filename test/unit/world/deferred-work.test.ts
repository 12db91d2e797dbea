import { DeferredWork } from '../../../server/world/ticker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function start() {
  const clock = new FakeClock();
  const done: string[] = [];
  const deferredWork = new DeferredWork(clock, (error) => done.push(`${error}`));
  return { clock, deferredWork, done, work: (name: string) => () => void done.push(name) };
}

test('deferred work runs once: when there is time, soon in any case, or before other work', async () => {
  const { clock, deferredWork, done, work } = start();
  deferredWork.defer(work('frames'));
  expect(done).toEqual([]);
  deferredWork.run();
  deferredWork.run();
  await clock.advance(1_000);
  expect(done).toEqual(['frames']);
  deferredWork.defer(work('late'));
  await clock.advance(10);
  expect(done).toEqual(['frames', 'late']);
  deferredWork.defer(work('one'));
  deferredWork.defer(work('other'));
  expect(done.slice(2)).toEqual(['one']);
  deferredWork.run();
  expect(done.slice(2)).toEqual(['one', 'other']);
  expect(clock.waiting).toBe(0);
});

test('errors are reported, not thrown', () => {
  const { deferredWork, done } = start();
  deferredWork.defer(() => {
    throw new Error('broken');
  });
  deferredWork.run();
  deferredWork.run();
  expect(done).toEqual(['Error: broken']);
});
