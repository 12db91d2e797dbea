import {
  ProcessEnd,
  runShutdownPhases,
  shutdownPhases,
} from '../../../server/composition/process-end.ts';
import { type Log, silentLog } from '../../../server/platform/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';

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
    'phase-failed Closing: the step "two" failed: no',
    'phase Closing: three.',
  ]);
});

test('rooms are given up when they and the host records are stored, or cannot be', async () => {
  const done: string[] = [];
  const noted = (what: string) => () =>
    new Promise<void>((go) => {
      setImmediate(() => {
        done.push(what);
        go();
      });
    });
  const closable = { close: () => {} };
  const phases = (host: () => Promise<void>) =>
    shutdownPhases({
      sockets: { ...closable, stopAdmitting: () => {}, moveAway: async () => {} },
      moving: undefined,
      ticker: { stop: async () => {} },
      deferredWork: { run: () => {} },
      previews: [{ stop: noted('previews'), close: noted('a drawing') }],
      journalWriter: { saveAll: noted('rooms stored'), close: async () => {} },
      serverRooms: { ...closable, releaseAll: noted('given up') },
      host: { close: host },
      ...{ relay: closable, alerts: closable, hooks: closable, engine: closable },
      ...{ opened: closable, metrics: undefined },
    });
  await runShutdownPhases(phases(noted('host stored')), silentLog);
  // Another server goes on with the rooms while a drawing is still refined here.
  expect(done).toEqual(['previews', 'rooms stored', 'host stored', 'given up', 'a drawing']);
  done.length = 0;
  const failing = phases(() => Promise.reject(new Error('the disk is full')));
  await expect(runShutdownPhases(failing, silentLog)).rejects.toThrow('the disk is full');
  expect(done).toEqual(['previews', 'rooms stored', 'given up', 'a drawing']);
});

function start() {
  const clock = new FakeClock();
  const said: (string | number)[] = [];
  let closed = (): void => {};
  const end = new ProcessEnd({
    ...{ clock, exit: (code) => said.push(code) },
    log: { ...silentLog, error: (event) => said.push(event) },
    close: () => {
      said.push('closing');
      return new Promise((resolve) => void (closed = resolve));
    },
    onFailure: () => said.push('failed'),
  });
  return { clock, said, end, closed: () => closed() };
}

test('a signal during a restart does not cut it short, and a second one does', async () => {
  const { clock, said, end, closed } = start();
  end.begin(75);
  await clock.advance(5_000);
  end.signal();
  await clock.advance(500);
  // The same one, forwarded by npm.
  end.signal();
  expect(said).toEqual(['closing']);
  await clock.advance(1_000);
  end.signal();
  expect(said).toEqual(['closing', 1]);
  closed();
  await clock.advance(0);
  expect(said).toEqual(['closing', 1, 75]);
});

test('closing that takes too long is cut short', async () => {
  const { clock, said, end } = start();
  end.signal();
  await clock.advance(20_000);
  expect(said).toEqual(['closing', 'closing-too-slow', 1]);
});
