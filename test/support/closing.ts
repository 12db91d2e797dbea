/**
 * Closes what tests have opened. Separate from the servers that suites share: tests that only want a folder would otherwise
 * load a server's modules.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Close = () => unknown;

const ofSuite: Close[] = [];
const ofTest: Close[] = [];

async function closeAll(some: Close[]): Promise<void> {
  while (some.length > 0) await some.pop()!();
}

afterEach(() => closeAll(ofTest));
afterAll(() => closeAll(ofSuite));

/** Has something closed after all tests of this file; what was opened last is closed first. */
export const afterSuite = (close: Close): number => ofSuite.push(close);

/** Has something closed after the test that runs now. */
export const afterTest = (close: Close): number => ofTest.push(close);

/** A folder that is removed after the last test. */
export function suiteFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-'));
  afterSuite(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder that is removed after the tests of a file. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vivarium-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}
