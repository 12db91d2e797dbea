/**
 * Closes what tests have opened. Separate from the servers that suites share: tests that only want a folder would otherwise
 * load a server's modules.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Close = () => unknown;

const ofSuite: Close[] = [];
const ofTest: Close[] = [];
let isInTest = false;

async function closeAll(some: Close[]): Promise<void> {
  while (some.length > 0) await some.pop()!();
}

beforeEach(() => {
  isInTest = true;
});
afterEach(() => {
  isInTest = false;
  return closeAll(ofTest);
});
afterAll(() => closeAll(ofSuite));

/** Closes something after all tests of this file; what was opened last is closed first. */
export const afterSuite = (close: Close): number => ofSuite.push(close);

/** Closes something after the test that runs now. */
export const afterTest = (close: Close): number => ofTest.push(close);

/** Closes something after the test that runs now, or else after all tests of this file. */
export const afterUse = (close: Close): number => (isInTest ? ofTest : ofSuite).push(close);

/** A folder that is removed after the last test. */
export function suiteFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-'));
  afterSuite(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The same as a function, for tests that ask for it later. */
export function temporaryFolder(): () => string {
  const folder = suiteFolder();
  return () => folder;
}
