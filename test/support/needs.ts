/** Tests that need something which not every machine has. The list of what was left out names it. */

/**
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
