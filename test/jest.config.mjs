/** How tests are found, compiled and shared out. */
import { availableParallelism } from 'node:os';

export default {
  rootDir: '..',
  testEnvironment: '<rootDir>/test/environment.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // A guard, not a measure: the longest take half a minute on two fast cores, and a slow, busy machine takes many times that.
  testTimeout: 900_000,
  // Twice as many as there are cores: many wait for pages, processes and ticks. (Jest takes no share above 100 %.)
  maxWorkers: 2 * availableParallelism(),
  // Memory of a suite lives on while anything that it has left running holds its globals; this much is never in use.
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
