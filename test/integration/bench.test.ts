/**
 * The command lines of the load tool and of the benches, and that they measure at all. Their figures
 * are not tested. Only full runs start them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suiteFolder } from '../support/closing.ts';
import { fullTest } from '../support/needs.ts';
import { FROM_BUNDLE, runScript } from '../support/process.ts';

/** A garden that is soon grown. */
const SMALL = ['--organisms', '8'];

/** What a script of package.json measures. */
async function measured(script: 'bench' | 'loadtest', ...args: string[]) {
  const { code, output, errors } = await runScript(script, [...args, '--json'], FROM_BUNDLE);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return JSON.parse(output);
}

fullTest('replay does a recorded room again, over a restart, and all of it is equal', async () => {
  const seconds = 12;
  const args = [...SMALL, '--seconds', `${seconds}`];
  const { recording, ...figures } = await measured('bench', 'replay', ...args);
  expect(figures).toMatchObject({ ticks: 15 * seconds, unequal: 0 });
  expect(figures.equal).toBeGreaterThan(9);
  expect(recording.restart.tick).toBe((15 * seconds) / 2);
  expect(recording.restart.remarks.join()).toContain('is restored');
});

fullTest('peer without PyTorch says so in one sentence, and has nothing to tell', async () => {
  const folder = suiteFolder();
  const file = join(folder, 'peer.json');
  // No Python finds its own library there.
  const { code, output, errors } = await runScript('bench', ['peer', '--json', file], {
    ...FROM_BUNDLE,
    PYTHONHOME: folder,
  });
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toBe('PyTorch is not compared with, because no python3 here has torch.\n');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ peer: [] });
});

fullTest(
  'a small crowd on a server of its own, one of them on a slow line, gives all figures',
  async () => {
    const crowd = ['--profile', 'mixed', '--clients', '6', '--slow', '1', '--organisms', '4'];
    const figures = await measured('loadtest', ...crowd, '--seconds', '3');
    const some = expect.any(Number);
    const spread = { p50: some, p99: some, max: some };
    expect(figures).toMatchObject({
      ...{ profile: 'mixed', clients: 6, seconds: 3, outOfStep: 0, lost: 0 },
      ...{ latencyMs: spread, bytesPerSecond: spread, skipped: some },
      ...{ neverCaughtUp: some, heapGrowth: some, split: expect.any(String) },
      server: { cpu: some, heapPerClient: some, loopDelayP99: some },
      slow: { clients: 1, outOfStep: 0 },
    });
    expect(figures.latencyMs.p50).toBeGreaterThan(0);
    expect(figures.bytesPerSecond.p50).toBeGreaterThan(0);
  },
);

fullTest('a crowd half of ill will: the server says why it refuses, and goes on', async () => {
  const crowd = ['--profile', 'hostile', '--clients', '16', '--organisms', '4', '--seconds', '3'];
  const figures = await measured('loadtest', ...crowd);
  expect(figures).toMatchObject({ clients: 8, outOfStep: 0, lost: 0 });
  expect(figures.hostile.refusals['bad-message']).toBeGreaterThan(0);
  expect(figures.hostile.attacks.malformed.closed).toBeGreaterThan(0);
});
