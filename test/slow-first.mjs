// @ts-check
import { statSync } from 'node:fs';

/** Suites that take long: those with pages, and some others whose files are short. */
const SLOW =
  /test\/(browser\/|integration\/(balancer|cluster|living-wall|package)|unit\/(engine\/(engines|native\/kernels)|training\/data\/packages)\.)/;

/** Starts slow suites first, and then long files first, so that all workers end at about the same time. */
export default class SlowFirst {
  /** @param {{ path: string }[]} tests */
  sort(tests) {
    const weighed = tests.map((test) => ({
      test,
      weight: statSync(test.path).size + (SLOW.test(test.path) ? 1e6 : 0),
    }));
    return weighed.sort((a, b) => b.weight - a.weight).map(({ test }) => test);
  }

  /** @param {object[]} tests */
  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
