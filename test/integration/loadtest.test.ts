/** The load tool's command line, and that it measures at all; what it measures is not tested. */
import { SettingsError } from '../../server/settings/command-line.ts';
import { readOptions } from '../load/options.ts';
import { fullTest } from '../support/needs.ts';
import { FROM_BUNDLE, runScript } from '../support/process.ts';
import { startServer } from '../support/server.ts';

const loadtest = (...args: string[]) => runScript('loadtest', args, FROM_BUNDLE);

const milliseconds = {
  p50: expect.any(Number),
  p99: expect.any(Number),
  max: expect.any(Number),
};

test('--help names every option and profile', async () => {
  const { code, output, errors } = await loadtest('--help');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  for (const option of [
    'clients',
    'seconds',
    'profile',
    'url',
    'json',
    'slow',
    'stalled',
    'cores',
  ]) {
    expect(output).toContain(`--${option} `);
  }
  for (const profile of ['phones', 'wall', 'mixed', 'hostile']) expect(output).toContain(profile);
});

test.each([
  [['--profile', 'robots'], '--profile must be one of phones, wall, mixed, hostile'],
  [['--clients', 'many'], '--clients must be a whole number'],
  [['--clients', '0'], '--clients must be a whole number from 1'],
  [['--url', 'garden'], '--url must be like ws://localhost:8080'],
  [['--cores', 'all'], '--cores must be apart or shared'],
  [['--compare'], '--compare needs slow or stalled clients'],
  [['--fast'], "Unknown option '--fast'"],
])('%p is refused by name, in one sentence', (args, sentence) => {
  let error: unknown;
  try {
    readOptions(args);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SettingsError);
  const { message } = error as SettingsError;
  expect(message.startsWith(sentence)).toBe(true);
  expect(message).not.toContain('\n');
});

test('from the shell, what is refused ends with an exit code and its sentence', async () => {
  const { code, output, errors } = await loadtest('--fast');
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors.startsWith("Unknown option '--fast'")).toBe(true);
  expect(errors.trim().split('\n')).toHaveLength(1);
});

test('a small crowd on a server of its own, one of them on a slow line, gives all figures', async () => {
  const crowd = ['--profile', 'mixed', '--clients', '6', '--slow', '1', '--organisms', '4'];
  const { code, output, errors } = await loadtest(...crowd, '--seconds', '3', '--json');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const figures = JSON.parse(output);
  expect(figures).toMatchObject({
    ...{ profile: 'mixed', clients: 6, seconds: 3, outOfStep: 0, lost: 0 },
    ...{ latencyMs: milliseconds, bytesPerSecond: milliseconds, skipped: expect.any(Number) },
    ...{ neverCaughtUp: expect.any(Number), heapGrowth: expect.any(Number) },
    server: {
      ...{ cpu: expect.any(Number), heapPerClient: expect.any(Number) },
      loopDelayP99: expect.any(Number),
    },
    slow: { clients: 1, outOfStep: 0 },
    split: expect.any(String),
  });
  expect(figures.latencyMs.p50).toBeGreaterThan(0);
  expect(figures.bytesPerSecond.p50).toBeGreaterThan(0);
});

// `npm test` runs the small crowd alone.
fullTest(
  'a crowd half of ill will on a server that runs already: that one says why it refuses, and goes on',
  async () => {
    const server = await startServer({ size: '64x64' });
    try {
      const url = `ws://127.0.0.1:${server.port}/r/garden`;
      const crowd = ['--profile', 'hostile', '--clients', '16', '--seconds', '3', '--url', url];
      const { code, output, errors } = await loadtest(...crowd, '--json');
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      const figures = JSON.parse(output);
      expect(figures).toMatchObject({ clients: 8, latencyMs: null, outOfStep: 0, lost: 0 });
      expect(figures.hostile.refusals['bad-message']).toBeGreaterThan(0);
      expect(figures.hostile.attacks.malformed.closed).toBeGreaterThan(0);
    } finally {
      await server.close();
    }
  },
);
