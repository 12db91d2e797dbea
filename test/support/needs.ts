/** Tests that need a program of this machine, or the time of a full run, and the seed of a run. */

/**
 * Leaves a test out and says so if something is missing.
 *
 * @param need what the machine must have, such as 'Firefox'
 * @returns `test`, or without it a `test.skip` whose title says what is missing
 */
export function testNeeding(need: string, isPresent: boolean): typeof test {
  if (isPresent) return test;
  const skip = (title: string, run: () => void, timeout?: number) =>
    test.skip(`${title} (needs ${need})`, run, timeout);
  const each = (table: readonly unknown[]) => (title: string, run: () => void) =>
    test.skip.each(table)(`${title} (needs ${need})`, run);
  return Object.assign(skip, { each }) as typeof test;
}

/** The same for a group of tests. */
export function describeNeeding(need: string, isPresent: boolean): typeof describe {
  if (isPresent) return describe;
  const skip = (title: string, run: () => void) => describe.skip(`${title} (needs ${need})`, run);
  return skip as typeof describe;
}

/** Whether all of it runs (`npm run test:full`); `npm test` runs a shorter form. */
export const isFull = process.env.VIVARIUM_TEST_FULL === '1';

const none = Object.assign(() => {}, { each: () => () => {} });

/**
 * A test of full runs alone; a comment beside it names the shorter one that `npm test` has. Outside a suite, as in the
 * global set-up, there is no `test`.
 */
export const fullTest = (isFull && 'test' in globalThis ? test : none) as typeof test;

/**
 * Seed of everything random in tests: fixed, so that failures repeat, but different in each full run. VIVARIUM_TEST_SEED
 * repeats a full run.
 */
export const SEED =
  Number(process.env.VIVARIUM_TEST_SEED) || (isFull ? 1 + Math.floor(Math.random() * 2 ** 31) : 1);
