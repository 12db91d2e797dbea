/** Leases, fence and fail-over in many seeded schedules of things that go wrong. */
import { type ModelFaults, runModel } from '../../support/memory-cluster.ts';

const isFull = process.env.VIVARIUM_TEST_FULL === '1';
const SCHEDULES = isFull ? 100_000 : 300;
const FIRST = Number(process.env.VIVARIUM_TEST_SEED ?? 1);

test('whatever goes wrong, nobody sees two owners, and nothing acknowledged is lost', async () => {
  let owners = 0;
  let acknowledged = 0;
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
    const outcome = await runModel(seed);
    expect({ seed, wrong: outcome.wrong }).toEqual({ seed, wrong: [] });
    owners += outcome.owners;
    acknowledged += outcome.acknowledged;
  }
  // The schedules are of some use: rooms change owners, and things are done.
  expect(owners).toBeGreaterThan(2 * SCHEDULES);
  expect(acknowledged).toBeGreaterThan(5 * SCHEDULES);
});

// Schedules that have found a mistake.
test.each([
  ['an owner gives the room up while it still waits for the one before it to stop', 1_038],
])('%s', async (_, seed) => {
  expect((await runModel(seed)).wrong).toEqual([]);
});

test.each<[string, ModelFaults, RegExp]>([
  ['a log without a fence', { noFence: true }, /earlier owner/],
  ['a log that does not know repetitions', { noNumbers: true }, /twice/],
  ['owners that trust a lease that has ended', { trustsLease: true }, /epoch/],
  ['new owners that tick at once', { noSettling: true }, /epoch/],
  ['renewals that nobody is told of', { noCount: true }, /epoch/],
  ['rooms given up that were not stored', { trustsReleases: true }, /seen before/],
])('the model notices %s', async (_, faults, complaint) => {
  const found = async (): Promise<boolean> => {
    // It ends with the first find, which for the rarest of them comes after some hundred.
    for (let seed = 1; seed <= 3_000; seed++) {
      const { wrong } = await runModel(seed, faults);
      if (wrong.some((one) => complaint.test(one))) return true;
    }
    return false;
  };
  expect(await found()).toBe(true);
});
