/**
 * What tests have opened is closed after them. Apart from the servers that suites share: most that
 * only want a folder would wait for all modules of a server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
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
