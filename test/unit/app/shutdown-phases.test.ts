import { runShutdownPhases } from '../../../server/app/shutdown-phases.ts';
import { type Log, silentLog } from '../../../server/platform/log.ts';

test('phases run in order, also after one that fails; its error is thrown at the end', async () => {
  const said: string[] = [];
  const done: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (event, sentence) => said.push(`${event} ${sentence}`),
    error: (event, sentence) => said.push(`${event} ${sentence}`),
  };
  const phase = (name: string, run = async () => {}) => ({
    name,
    run: async () => {
      await run();
      done.push(name);
    },
  });
  const failing = phase('two', async () => {
    throw new Error('no');
  });
  await expect(runShutdownPhases([phase('one'), failing, phase('three')], log)).rejects.toThrow(
    'no',
  );
  expect(done).toEqual(['one', 'three']);
  expect(said).toEqual([
    'phase Closing: one.',
    'phase-failed Closing: two failed: no',
    'phase Closing: three.',
  ]);
});
