/** The supported versions of Node. `npm run test:full` runs the unit and integration tests on each. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
// @ts-expect-error It is JavaScript, without declarations.
import { BUNDLE } from '../../server/launch/worker-entry.mjs';
import { suiteFolder } from '../support/closing.ts';
import { isFull, testNeeding } from '../support/needs.ts';
import { nodeOf } from '../support/programs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const VERSIONS = [20, 22, 24];

test('a full run has tests on each version that the package names', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...engines.node.matchAll(/(?:\^|>=)(\d+)/g)].map(([, version]) => Number(version));
  expect(named.length).toBeGreaterThan(1);
  expect(VERSIONS).toEqual(expect.arrayContaining(named));
});

/** Suites that test the machine or the release rather than Node, or run tests themselves. */
const LEFT_OUT = 'node-versions|package.test|deb.test|bench.test|training.test';
const JEST =
  '--experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --config test/jest.config.mjs';

const others = VERSIONS.filter((version) => !process.version.startsWith(`v${version}.`));

for (const version of isFull ? others : []) {
  const node = await nodeOf(version).catch(() => undefined);
  testNeeding(`npm's package of Node ${version}`, node !== undefined)(
    `unit and integration tests pass on Node ${version}`,
    async () => {
      const results = join(suiteFolder(), 'results.json');
      const words = `${JEST} test/unit test/integration --maxWorkers 3 --json --outputFile ${results}`;
      const env: NodeJS.ProcessEnv = { ...process.env, VIVARIUM_TEST_FULL: '' };
      env.PATH = `${dirname(node!)}${delimiter}${env.PATH}`;
      delete env[BUNDLE];
      delete env.JEST_WORKER_ID;
      // Failures are in the results.
      const args = [...words.split(' '), '--testPathIgnorePatterns', LEFT_OUT];
      await run(node!, args, { cwd: root, env, maxBuffer: 1e9 }).catch(() => {});
      const { numPassedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'));
      const failed = testResults.filter(({ status }: { status: string }) => status === 'failed');
      expect(failed.map(({ message }: { message: string }) => message)).toEqual([]);
      expect(numPassedTests).toBeGreaterThan(1_000);
    },
    3 * 3_600_000,
  );
}
