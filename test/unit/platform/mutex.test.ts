import { Mutex } from '../../../server/platform/queues.ts';

test('runs work one at a time, in order, also after failures', async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise(setImmediate);
    log.push(`${name} ends`);
    if (name === 'b') throw new Error('b fails');
    return name;
  };
  const all = ['a', 'b', 'c'].map((name) => mutex.runExclusive(work(name)));
  expect(log).toEqual([]);
  expect(await Promise.allSettled(all)).toEqual([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: new Error('b fails') },
    { status: 'fulfilled', value: 'c' },
  ]);
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('work that throws synchronously rejects only its own call', async () => {
  const mutex = new Mutex();
  const fails = mutex.runExclusive(() => {
    throw new Error('at once');
  });
  const next = mutex.runExclusive(() => 1);
  await expect(fails).rejects.toThrow('at once');
  expect(await next).toBe(1);
});

test('is locked until the last work is done', async () => {
  const mutex = new Mutex();
  expect(mutex.isLocked()).toBe(false);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = mutex.runExclusive(() => gate);
  const second = mutex.runExclusive(() => Promise.reject(new Error('no')));
  const ended = second.catch(() => 'failed');
  let free = false;
  const unlocked = mutex.waitForUnlock().then(() => {
    free = true;
  });
  await new Promise(setImmediate);
  expect([mutex.isLocked(), free]).toEqual([true, false]);
  open();
  await first;
  await unlocked;
  expect(mutex.isLocked()).toBe(false);
  expect(await ended).toBe('failed');
});
