import { createTickLoop, shutdownPhases } from '../../../server/composition/create-server.ts';
import { ProcessEnd, runShutdownPhases } from '../../../server/composition/process-end.ts';
import { STALL } from '../../../server/operations/watches.ts';
import { type Log, silentLog } from '../../../server/platform/log.ts';
import { World } from '../../../server/world/world.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { IDLE_ENGINE } from '../../support/registry-options.ts';
import { SPECIES } from '../../support/rooms.ts';

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
      sockets: { ...closable, stopAdmitting: () => {} },
      ticker: { stop: async () => {} },
      deferredWork: { run: () => {} },
      previews: [{ stop: noted('previews'), close: noted('a drawing') }],
      journalWriter: { saveAll: noted('rooms stored'), close: async () => {} },
      serverRooms: { releaseAll: noted('given up') },
      host: { close: host },
      ...{ relay: closable, hooks: closable, engine: closable, later: {} },
    } as never);
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

const never = (): Promise<never> => new Promise(() => {});

/** @returns why the ticks of a room cannot go on, in which somebody plants */
async function failureOf(change: (world: World) => void): Promise<string[]> {
  const clock = new FakeClock();
  const failures: string[] = [];
  const world = new World({ ...IDLE_ENGINE, step: async () => [] } as never);
  change(world);
  const onFatal = ({ message }: Error): void => void failures.push(message);
  const base = { world, clock, previews: [], options: { onFatal }, later: {} } as never;
  const { ticker } = createTickLoop(
    base,
    undefined,
    () => new Map(),
    () => undefined,
  );
  const size = { width: 16, height: 16, maxOrganisms: 4 };
  const room = world.open({ ...size, name: 'garden', seed: 1, species: SPECIES });
  const seed = { from: 'gallery', index: 0 } as const;
  room.enqueue(1, { what: 'plant', by: HOUSE, x: 8, y: 8, seed });
  ticker.add(room, 15);
  await clock.advance(2 * STALL);
  return failures;
}

test('a tick that waits for the disk is not taken for a stalled engine', async () => {
  expect(await failureOf((world) => Object.assign(world, { journal: never }))).toEqual([
    expect.stringMatching(/^A tick did not end, because the disk of --data .* does not answer\. /),
  ]);
  expect(await failureOf(({ engine }) => Object.assign(engine, { step: never }))).toEqual([
    'engine: failed: a tick did not end, because the engine has stalled',
  ]);
});
