import { existsSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import remembrance from '../../../server/extensions/examples/remembrance.ts';
import type { Hand, RoomLifeEvent } from '../../../server/extensions/extension.ts';
import { LIMITS } from '../../../server/extensions/extension-limits.ts';
import { ExtensionThread } from '../../../server/extensions/extension-thread.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LogRecorder } from '../../support/receivers.ts';

describe('extension thread', () => {
  const { loading, stall, firstPause, maxPause, answer, failures, forgivenAfter, backlog } = LIMITS;

  const folder = temporaryFolder();
  let clock: FakeClock;
  let hearing: LogRecorder;
  let thread: ExtensionThread;
  let files = 0;

  beforeEach(() => {
    clock = new FakeClock();
    hearing = new LogRecorder();
  });

  afterEach(() => thread.close());

  /** @returns a function whose promise resolves at the next restart */
  async function start(source: string, extension = 'mjs'): Promise<() => Promise<void>> {
    const file = join(folder(), `${files++}.${extension}`);
    await writeFile(file, source);
    let onRestart = (): void => {};
    thread = await ExtensionThread.start({
      file,
      clock,
      log: hearing,
      act: async () => ({}),
      onRestarted: () => onRestart(),
    });
    return () => new Promise((resolve) => void (onRestart = resolve));
  }

  /** A turn of the event loop, from its end to that of the next. */
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** Time goes on, and what is due is done. */
  async function pass(duration: number): Promise<void> {
    await clock.advance(duration);
    await turn();
  }

  /** Keeps this thread from its event loop until a file is there. */
  function stallUntil(file: string): void {
    const end = performance.now() + 60_000;
    while (!existsSync(file) && performance.now() < end);
  }

  const countFailures = (): number =>
    hearing.lines.filter(({ event }) => event === 'extension-failed').length;

  const planting = { room: 'garden', what: 'plant', x: 1, y: 1 } as never;

  test.each([
    ['js', `export default (hand) => ({ name: 'plain', onPlant: () => ({ refuse: 'here' }) });`],
    [
      'ts',
      `export default (_: object) => ({ name: 'typed', onPlant: () => ({ refuse: 'here' }) });`,
    ],
    ['js', `module.exports = { name: 'required', onPlant: () => ({ refuse: 'here' }) };`],
  ])('a .%s file in a folder without a package.json is loaded', async (extension, source) => {
    await start(source, extension);
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'here' });
  });

  test('an extension that does not respond is restarted, and asked again from then on', async () => {
    const nextRestart = await start(`export default {
    name: 'dreamer',
    onJoined() { while (true); },
    onPlant: () => ({ refuse: 'awake' }),
  }`);
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'awake' });
    thread.tell('onJoined', {} as never);
    await pass(stall);
    await pass(stall);
    expect(hearing.has('extension-failed', 'does not respond')).toBe(true);
    // It is not asked until it has restarted.
    expect(thread.has('onPlant')).toBe(false);
    expect(await thread.ask('onPlant', planting)).toEqual({});
    const restarted = nextRestart();
    await pass(firstPause);
    await restarted;
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'awake' });
  });

  test('an extension whose device is off is loaded when it is on', async () => {
    const device = join(folder(), 'device');
    const needing = `import { existsSync } from 'node:fs';
    if (!existsSync(${JSON.stringify(device)})) throw new Error('the lamp is off');
    export default { name: 'lamp', onJoined: () => process.exit(1), onPlant: () => ({ refuse: 'lit' }) }`;
    const nextRestart = await start(needing);
    expect(hearing.has('extension-failed', 'the lamp is off')).toBe(true);
    expect(await thread.ask('onPlant', planting)).toEqual({});
    await hearing.until('extension-stopped', 'restarts the extension in 1 s');
    await writeFile(device, '');
    let restarted = nextRestart();
    await pass(firstPause);
    await restarted;
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'lit' });

    // The same once it has run.
    await rm(device);
    thread.tell('onJoined', {} as never);
    await hearing.until('extension-stopped', 'restarts the extension in 2 s');
    expect(hearing.has('extension-failed', 'its thread ended')).toBe(true);
    await pass(2 * firstPause);
    await hearing.until('extension-stopped', 'restarts the extension in 4 s');
    await writeFile(device, '');
    restarted = nextRestart();
    await pass(4 * firstPause);
    await restarted;
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'lit' });

    // Once it has run for long, the first pause is short again.
    await rm(device);
    clock.spend(maxPause);
    hearing.lines.splice(0);
    thread.tell('onJoined', {} as never);
    await hearing.until('extension-stopped', 'restarts the extension in 1 s');
  });

  test('an extension that waits too long for its device is tried again', async () => {
    const starting = start('await new Promise(() => {});');
    while (clock.waiting === 0) await turn();
    await clock.advance(loading);
    await starting;
    expect(hearing.has('extension-failed', 'did not load within')).toBe(true);
    expect(hearing.has('extension-stopped', 'restarts the extension in 1 s')).toBe(true);
  });

  test('a server that has stalled reads answers before it counts them as late', async () => {
    const answered = join(folder(), 'answered');
    const go = join(folder(), 'go');
    await start(`import { existsSync, writeFileSync } from 'node:fs';
    let count = 0;
    export default {
      name: 'prompt',
      onJoined() { while (!existsSync(${JSON.stringify(go)})); },
      onPlant() {
        const file = ${JSON.stringify(answered)} + ++count;
        // Once the answer is sent.
        setTimeout(() => writeFileSync(file, ''));
        return { refuse: 'in time' };
      },
    }`);
    const askAll = () =>
      Array.from({ length: failures + 1 }, () => thread.ask('onPlant', planting));
    await turn();
    const asked = askAll();
    stallUntil(`${answered}${asked.length}`);
    await clock.advance(answer);
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ refuse: 'in time' })));

    // A ping is answered while the server stalls, before the questions.
    thread.tell('onJoined', {} as never);
    await pass(stall);
    const askedAgain = askAll();
    writeFileSync(go, '');
    stallUntil(`${answered}${2 * asked.length}`);
    await pass(stall);
    await Promise.all(askedAgain);
    expect(countFailures()).toBe(0);
  });

  test('late answers allow commands and are one failure in each time limit; too many restart the extension', async () => {
    const nextRestart = await start(
      `export default { name: 'slow', onPlant: () => new Promise(() => {}) }`,
    );
    for (let i = 0; i < failures; i++) {
      expect(thread.has('onPlant')).toBe(true);
      const asked = Promise.all([1, 2].map(() => thread.ask('onPlant', planting)));
      await clock.advance(answer - 1);
      const early = await Promise.race([asked, Promise.resolve('waits')]);
      expect(early).toBe('waits');
      await clock.advance(1);
      expect(await asked).toEqual([{}, {}]);
    }
    expect(thread.has('onPlant')).toBe(false);
    expect(hearing.has('extension-stopped', '"slow"')).toBe(true);
    const restarted = nextRestart();
    await pass(firstPause);
    await restarted;
    expect(thread.has('onPlant')).toBe(true);
  });

  test('failures far apart are forgiven', async () => {
    await start(`export default {
    name: 'slow',
    onPlant: () => new Promise(() => {}),
    onStroke: () => ({ refuse: 'here' }),
  }`);
    for (let i = 0; i < 3 * failures; i++) {
      const asked = thread.ask('onPlant', planting);
      await pass(answer);
      expect(await asked).toEqual({});
      clock.spend((1.1 * forgivenAfter) / failures);
      // The answer to a ping, if any, arrives before this answer.
      expect(await thread.ask('onStroke', planting)).toEqual({ refuse: 'here' });
    }
    expect(hearing.has('extension-stopped')).toBe(false);
  });

  test('events are dropped and counted when an extension cannot keep up', async () => {
    await start(`export default (hand) => {
    let count = 0, open;
    const gate = new Promise((resolve) => { open = resolve; });
    return {
      name: 'snail',
      onLife: () => { count++; return gate; },
      onPlant: () => { setTimeout(open, 20); return { refuse: String(count) }; },
    };
  }`);
    for (let i = 0; i < backlog + 7; i++) thread.tell('onLife', {} as never);
    expect(hearing.has('extension-behind', 'handles events too slowly')).toBe(true);
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: String(backlog) });
    await hearing.until('extension-behind', 'the server dropped 7 events');
  });

  test('an extension that handles none of a full backlog is restarted', async () => {
    const nextRestart = await start(`const waiting = [];
    export default {
      name: 'hoarder',
      onLife: () => new Promise((resolve) => { waiting.push(resolve); }),
      onPlant: () => waiting.shift()?.(),
      onStroke: () => ({ refuse: 'here' }),
    }`);
    const fill = (count: number): void => {
      for (let i = 0; i < count; i++) thread.tell('onLife', {} as never);
    };
    fill(backlog);
    await pass(stall);
    // The first is handled, and one more comes.
    await thread.ask('onPlant', planting);
    await thread.ask('onStroke', planting);
    fill(1);
    await pass(stall);
    expect(await thread.ask('onStroke', planting)).toEqual({ refuse: 'here' });
    expect(countFailures()).toBe(0);
    await pass(stall);
    expect(hearing.has('extension-failed', `none of its ${backlog} pending calls`)).toBe(true);
    const restarted = nextRestart();
    await pass(firstPause);
    await restarted;
    expect(await thread.ask('onStroke', planting)).toEqual({ refuse: 'here' });
  });

  test('an extension that sends a malformed message is stopped', async () => {
    await start(`import { parentPort } from 'node:worker_threads';
    export default { name: 'rogue', onLife() { parentPort.postMessage({ act: 'everything' }); } }`);
    thread.tell('onLife', {} as never);
    await hearing.until('extension-failed', 'malformed message');
    expect(thread.has('onLife')).toBe(false);
  });
});

/** The example extension: what it replants. Its clearing is tested in a server that lives. */

const room = 'garden';
const [BORN, DIED] = [
  { what: 'born', organism: { id: 1, x: 20, y: 30, kind: 'Taco' } as never },
  { what: 'died', id: 1, cause: 'killed' },
] as const satisfies readonly RoomLifeEvent[];

/** What it plants after these events. */
async function plantedAfter(...events: readonly RoomLifeEvent[]): Promise<unknown[]> {
  const planted: unknown[] = [];
  const due: (() => void)[] = [];
  const plant: Hand['plant'] = async (_, act) => {
    planted.push(act);
    return {};
  };
  const extension = remembrance({ plant, say() {} } as Partial<Hand> as Hand, (run) =>
    due.push(run),
  );
  extension.onRoomOpened?.({
    ...{ room, width: 100, height: 100, tickRate: 15, checkpoint: 'organisms' },
    ...{ gallery: ['Owl', 'Taco'], organisms: [] },
  });
  for (const event of events) extension.onLife?.({ room, tick: 1, event });
  for (const run of due) run();
  return planted;
}

test('an organism that was killed is replanted where it lived, and no other one', async () => {
  const taco = { x: 20, y: 30, seed: { from: 'gallery', index: 1 } };
  expect(await plantedAfter(BORN, DIED)).toEqual([taco]);
  expect(await plantedAfter(BORN, { ...DIED, cause: 'removed' })).toEqual([]);
  expect(await plantedAfter(DIED)).toEqual([]);
});
