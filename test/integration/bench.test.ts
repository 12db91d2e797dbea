/**
 * The command lines of the load tool and of the benches, and that they measure at all. Their figures
 * are not tested. Only full runs start them.
 */
import { isFull, testNeeding } from '../support/needs.ts';
import { runScript } from '../support/process.ts';

const fullTest = testNeeding('test:full', isFull);

/** What a script of package.json measures. The threads of engine and store start from the sources. */
async function measured(script: 'bench' | 'loadtest', ...args: string[]) {
  const { code, output, errors } = await runScript(script, [...args, '--json']);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return JSON.parse(output);
}

fullTest('replay does a recorded room again, over a restart, and all of it is equal', async () => {
  const seconds = 12;
  const args = ['--organisms', '8', '--seconds', `${seconds}`];
  const { recording, ...figures } = await measured('bench', 'replay', ...args);
  expect(figures).toMatchObject({ ticks: 15 * seconds, unequal: 0 });
  expect(figures.equal).toBeGreaterThan(9);
  expect(recording.restart.tick).toBe((15 * seconds) / 2);
  expect(recording.restart.remarks.join()).toContain('is restored');
});

fullTest(
  'a small crowd on a server of its own, one of them on a slow line, gives all figures',
  async () => {
    const crowd = ['--profile', 'mixed', '--clients', '6', '--slow', '1', '--organisms', '4'];
    const figures = await measured('loadtest', ...crowd, '--seconds', '3');
    const some = expect.any(Number);
    expect(figures).toMatchObject({
      ...{ profile: 'mixed', clients: 6, seconds: 3, outOfStep: 0, lost: 0 },
      ...{ latencyMs: { p50: some }, bytesPerSecond: { p50: some } },
      server: { cpu: some, heapPerClient: some },
      slow: { clients: 1, outOfStep: 0 },
    });
  },
);
