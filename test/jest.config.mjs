/** How tests are found, compiled and shared out. */
import { availableParallelism } from 'node:os';

export default {
  rootDir: '..',
  testEnvironment: '<rootDir>/test/environment.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testSequencer: '<rootDir>/test/slow-first.mjs',
  // The slowest tests take half a minute on two fast cores, and many times as long on a slow, busy machine.
  testTimeout: 900_000,
  // Two workers for each core, because many tests wait for pages, processes and ticks.
  maxWorkers: 2 * availableParallelism(),
  // A suite's memory is not freed while something that it started still runs. No suite uses this much.
  workerIdleMemoryLimit: '1.5GB',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, useDefineForClassFields: false },
          experimental: { keepImportAttributes: true },
        },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  setupFilesAfterEnv: ['<rootDir>/test/equal-numbers.mjs'],
  reporters: ['default', '<rootDir>/test/skipped-reporter.mjs'],
};
