import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExtensionThread } from '../../../server/extensions/extension-thread.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LogRecorder } from '../../support/hearing.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { stall, again, answer, failures, forgivenAfter, backlog } = DEFAULTS.hooks;

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

const planting = { room: 'garden', what: 'plant', x: 1, y: 1 } as never;

test.each([
  ['js', `export default (hand) => ({ name: 'plain', onPlant: () => ({ refuse: 'here' }) });`],
  ['ts', `export default (_: object) => ({ name: 'typed', onPlant: () => ({ refuse: 'here' }) });`],
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
  await clock.advance(stall);
  await clock.advance(stall);
  expect(hearing.has('extension-failed', 'does not respond')).toBe(true);
  // It is not asked until it has restarted.
  expect(thread.has('onPlant')).toBe(false);
  expect(await thread.ask('onPlant', planting)).toEqual({});
  const restarted = nextRestart();
  await clock.advance(again);
  await restarted;
  expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'awake' });
  expect(thread.disabled).toBe(false);
});

test('an extension that answers pings is not restarted', async () => {
  await start(`export default { name: 'sound', onPlant: () => ({ refuse: 'still here' }) }`);
  for (let i = 0; i < 5; i++) {
    await clock.advance(stall);
    // The answer to the ping arrives before this answer.
    expect(await thread.ask('onPlant', planting)).toEqual({ refuse: 'still here' });
  }
  expect(hearing.lines).toEqual([]);
});

test('a late answer allows the command, and too many of them disable the extension', async () => {
  await start(`export default { name: 'slow', onPlant: () => new Promise(() => {}) }`);
  for (let i = 0; i < failures; i++) {
    expect(thread.has('onPlant')).toBe(true);
    const asked = thread.ask('onPlant', planting);
    await clock.advance(answer - 1);
    const early = await Promise.race([asked, Promise.resolve('waits')]);
    expect(early).toBe('waits');
    await clock.advance(1);
    expect(await asked).toEqual({});
  }
  expect(thread.disabled).toBe(true);
  expect(thread.has('onPlant')).toBe(false);
  expect(hearing.has('extension-disabled', '"slow"')).toBe(true);
});

test('failures far apart are forgiven', async () => {
  await start(`export default {
    name: 'slow',
    onPlant: () => new Promise(() => {}),
    onStroke: () => ({ refuse: 'here' }),
  }`);
  for (let i = 0; i < 3 * failures; i++) {
    const asked = thread.ask('onPlant', planting);
    await clock.advance(answer);
    expect(await asked).toEqual({});
    clock.spend((1.1 * forgivenAfter) / failures);
    // The answer to a ping, if any, arrives before this answer.
    expect(await thread.ask('onStroke', planting)).toEqual({ refuse: 'here' });
  }
  expect(thread.disabled).toBe(false);
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
  expect(hearing.has('extension-behind', 'has not kept up')).toBe(true);
  expect(await thread.ask('onPlant', planting)).toEqual({ refuse: String(backlog) });
  await hearing.until('extension-behind', '7 events were dropped');
});

test('an extension that sends a malformed message is stopped', async () => {
  await start(`import { parentPort } from 'node:worker_threads';
    export default { name: 'rogue', onLife() { parentPort.postMessage({ act: 'everything' }); } }`);
  thread.tell('onLife', {} as never);
  await hearing.until('extension-failed', 'cannot be understood');
  expect(thread.has('onLife')).toBe(false);
});
