/** Folders that tests write into. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed after the tests of a file. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vivarium-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}
