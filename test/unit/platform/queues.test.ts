import { retry } from '../../../server/platform/clock.ts';
import { FairQueue, Mutex } from '../../../server/platform/queues.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import fc, { forAll } from '../../support/property.ts';

test('a source of lower rank is served first; the order can be seen; an entry can be removed', () => {
  const queue = new FairQueue<string>(10);
  for (const entry of ['a1', 'a2', 'b1', 'b2', 'c1']) queue.add(entry[0], entry);
  const ranks: Record<string, number> = { a: 2, b: 0, c: 1 };
  const rankOf = (source: string) => ranks[source];
  const order = queue.entries(rankOf);
  expect(order).toEqual(['b1', 'c1', 'b2', 'a1', 'a2']);
  const taken = order.map(() => {
    const source = queue.next(rankOf)!;
    ranks[source]++;
    return queue.takeOf(source);
  });
  expect(taken).toEqual(order);
  for (const entry of ['a1', 'b1']) queue.add(entry[0], entry);
  expect([queue.delete('a1'), queue.delete('a1'), queue.size]).toEqual([true, false, 1]);
  expect([queue.takeOf('a'), queue.take(), queue.next()]).toEqual([undefined, ['b1'], undefined]);
});

test('entries that come late take their places by how long they have waited', () => {
  const queue = new FairQueue<string>(10);
  for (const entry of ['c6', 'a5', 'b3', 'a1', 'c2', 'b4']) {
    queue.add(entry[0], entry, Number(entry[1]));
  }
  expect(queue.entries(() => 0)).toEqual(['a1', 'c2', 'b3', 'a5', 'c6', 'b4']);
  expect(queue.take()).toEqual(['a1', 'c2', 'b3', 'a5', 'c6', 'b4']);
});

test('a source that has filled the queue makes room for others, but not for itself', () => {
  const queue = new FairQueue<string>(3);
  for (const entry of ['a1', 'a2', 'a3']) expect(queue.add('a', entry)).toBeUndefined();
  expect(queue.add('a', 'a4')).toBe('a4');
  expect(queue.add('b', 'b1')).toBe('a3');
  expect(queue.add('b', 'b2')).toBe('b2');
  expect(queue.take()).toEqual(['a1', 'b1', 'a2']);
});

test('whatever others add, a source with at most its equal share keeps all of its entries', () => {
  const sources = fc.constantFrom('a', 'b', 'c');
  forAll(fc.array(sources, { maxLength: 60 }), (adds) => {
    const queue = new FairQueue<{ source: string }>(9);
    const dropped: string[] = [];
    for (const source of adds) {
      const lost = queue.add(source, { source });
      if (lost) dropped.push(lost.source);
    }
    for (const source of new Set(dropped)) {
      expect(adds.filter((other) => other === source).length).toBeGreaterThan(3);
    }
    expect(queue.size).toBe(Math.min(adds.length, 9));
    expect(queue.take()).toHaveLength(Math.min(adds.length, 9));
  });
});

test('runs work one at a time, in order, also after failures, and is locked meanwhile', async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise(setImmediate);
    log.push(`${name} ends`);
    if (name === 'b') throw new Error('b fails');
    return name;
  };
  expect(mutex.isLocked()).toBe(false);
  const all = ['a', 'b', 'c'].map((name) => mutex.runExclusive(work(name)));
  expect([log, mutex.isLocked()]).toEqual([[], true]);
  const unlocked = mutex.waitForUnlock().then(() => log.length);
  expect(await Promise.allSettled(all)).toEqual([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: new Error('b fails') },
    { status: 'fulfilled', value: 'c' },
  ]);
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect([await unlocked, mutex.isLocked()]).toEqual([log.length, false]);
});

/** Runs work that fails with these errors, one after another. */
async function tried(failures: readonly Error[], isTransient?: (error: unknown) => boolean) {
  const clock = new FakeClock();
  const begun: number[] = [];
  const heard: unknown[] = [];
  const work = async (): Promise<string> => {
    const failure = failures[begun.length];
    begun.push(clock.now());
    if (failure) throw failure;
    return 'done';
  };
  const start = clock.now();
  const result = retry(work, {
    clock,
    pauses: [10, 2_000],
    onFailure: (error) => heard.push(error),
    ...(isTransient && { isTransient }),
  }).catch((error: unknown) => error);
  await clock.advance(10_000);
  return { result: await result, begun: begun.map((at) => at - start), heard };
}

const errors = [1, 2, 3, 4].map((n) => new Error(`failure ${n}`));

test.each([
  ['runs work that succeeds once', 0, [0]],
  ['retries after a pause', 1, [0, 10]],
  ['retries after each pause, and reports each failure', 2, [0, 10, 2_010]],
])('%s', async (_, failures, begun) => {
  const heard = errors.slice(0, failures);
  expect(await tried(heard)).toEqual({ result: 'done', begun, heard });
});

test('throws the error of the last attempt', async () => {
  const heard = errors.slice(0, 2);
  expect(await tried(errors)).toEqual({ result: errors[2], begun: [0, 10, 2_010], heard });
});

test('does not retry after an error that is not transient', async () => {
  const heard = errors.slice(0, 1);
  const outcome = await tried(errors, (error) => error !== errors[1]);
  expect(outcome).toEqual({ result: errors[1], begun: [0, 10], heard });
});
