/** Calls between threads, also when a thread fails or ends. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  type Death,
  freeBuffers,
  WorkerRpc,
  type WorkerRpcOptions,
} from '../../../server/platform/worker-rpc.ts';
import type { Asker, Echo } from './echo-worker.ts';
import { ReasonError } from './reason-error.ts';

type Options = Partial<WorkerRpcOptions<Asker>>;

let worker: Worker;
let deaths: Death[];

function start(code: string, workerData: unknown, options: Options = {}) {
  worker = new Worker(code, { eval: true, workerData });
  deaths = [];
  return new WorkerRpc<Echo, string, Asker>(worker, {
    errors: { ReasonError, RangeError },
    onDeath: (death) => {
      deaths.push(death);
      return new Error(`lost: ${death.cause}: ${death.why}`);
    },
    ...options,
  });
}

const ECHO = JSON.stringify(new URL('./echo-worker.ts', import.meta.url).href);

const echo = (workerData: string, options?: Options) =>
  start(
    `import('tsx/esm/api').then(({ register }) => { register(); return import(${ECHO}); });`,
    workerData,
    options,
  );

/** A connection to an echo thread that has started. */
async function ready(options?: Options) {
  const rpc = echo('', options);
  await rpc.ready;
  return rpc;
}

/** A thread that sends any given message. */
const rogue = (message: unknown, options?: Options) =>
  start(
    "const w = require('worker_threads'); w.parentPort.postMessage(w.workerData); setInterval(() => {}, 1e6);",
    message,
    options,
  );

afterEach(() => worker.terminate());

test('a thread says that it is ready, and answers', async () => {
  const rpc = echo('one');
  expect(await rpc.ready).toBe('ready: one');
  const value = { text: 'å', numbers: Float32Array.of(1, 2), none: undefined };
  expect(await rpc.call('echo', value)).toEqual(value);
  expect(await rpc.call('echo', undefined)).toBeUndefined();
  await rpc.close(new Error('closed'));
  expect(deaths).toEqual([]);
});

test('answers are matched to their calls, and calls run concurrently', async () => {
  const rpc = await ready();
  expect(
    await Promise.all([rpc.call('meet', 2), rpc.call('echo', 'a'), rpc.call('meet', 2)]),
  ).toEqual([2, 'a', 2]);
});

test('the thread can call too, and both sides can notify', async () => {
  const lines: string[] = [];
  let back = new Uint8Array();
  const rpc = echo('calls', {
    methods: {
      half: (bytes) => (back = bytes.slice(bytes.length / 2)),
      note: (line) => lines.push(line),
    },
  });
  await rpc.ready;
  rpc.notify('note', 'and back');
  expect(await rpc.call('halve', 8)).toEqual(new Uint8Array(4).fill(9));
  expect(lines).toEqual(['from the start', 'and back']);
  // The answer's buffer has moved to the thread.
  expect(back.byteLength).toBe(0);
});

test('buffers are transferred, each once: of results, and of arguments that are given away', async () => {
  const rpc = await ready();
  const { bytes, view } = await rpc.call('give', 1000);
  expect(bytes).toEqual(new Uint8Array(1000).fill(7));
  expect(view.buffer).toBe(bytes.buffer);
  expect(await rpc.call('left')).toBe(0);
  expect(await rpc.give('echo', bytes)).toEqual(new Uint8Array(1000).fill(7));
  expect(bytes.byteLength).toBe(0);
});

test('buffers are freed without a garbage collection', () => {
  const bytes = new Uint8Array(1000);
  freeBuffers({ some: [bytes, bytes.subarray(1)], none: undefined });
  expect(bytes.byteLength).toBe(0);
});

test('errors keep their class, reason and stack; the thread continues', async () => {
  const rpc = await ready();
  const error = await rpc.call('fail', 'reason').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ReasonError);
  expect(error).toMatchObject({
    ...{ name: 'ReasonError', message: 'no: too-red', reason: 'too-red', detail: { red: 1 } },
    stack: expect.stringContaining('echo-worker.ts'),
  });
  const range = await rpc.call('fail', 'range').catch((e: unknown) => e);
  expect(range).toBeInstanceOf(RangeError);
  expect(range).toMatchObject({ name: 'RangeError', message: 'too far' });
  await expect(rpc.call('fail', 'private')).rejects.toMatchObject({
    name: 'PrivateError',
    message: 'no: hidden',
    reason: 'hidden',
  });
  await expect(rpc.call('fail', 'thrown')).rejects.toMatchObject({ message: 'just words' });
  const uncloneable = { name: 'DataCloneError' };
  await expect(rpc.call('fail', 'uncloneable')).rejects.toMatchObject(uncloneable);
  await expect(rpc.call('echo', () => {})).rejects.toMatchObject(uncloneable);
  expect(await rpc.call('echo', 1)).toBe(1);
});

test('errors of other classes are converted by the caller', async () => {
  const rpc = await ready({ otherwise: ({ message }) => new ReasonError('other', { message }) });
  await expect(rpc.call('fail', 'private')).rejects.toMatchObject({
    reason: 'other',
    detail: { message: 'no: hidden' },
  });
  await expect(rpc.call('fail', 'reason')).rejects.toMatchObject({ reason: 'too-red' });
});

test.each([
  ['exit', { cause: 'ended', why: 'ended with code 3' }],
  ['throw', { cause: 'threw', why: 'hit' }],
] as const)('when a thread dies (%s), pending and later calls fail', async (how, death) => {
  const rpc = await ready();
  const calls = await Promise.allSettled([
    rpc.call('wait'),
    rpc.call('die', how),
    rpc.call('wait'),
  ]);
  const failure = { message: `lost: ${death.cause}: ${death.why}` };
  for (const call of calls) {
    expect(call).toEqual({ status: 'rejected', reason: expect.objectContaining(failure) });
  }
  await expect(rpc.call('echo', 1)).rejects.toMatchObject(failure);
  await rpc.close(new Error('closed'));
  await expect(rpc.call('echo', 1)).rejects.toMatchObject(failure);
  expect(deaths).toEqual([death]);
});

test('a thread that cannot start says why, and is terminated; one that dies then is lost', async () => {
  const rpc = echo('refuses');
  const ended = once(worker, 'exit');
  const why = { name: 'ReasonError', reason: 'refused', detail: { at: 'start' } };
  await expect(rpc.ready).rejects.toMatchObject(why);
  await ended;
  expect(deaths).toEqual([]);
  await expect(rpc.call('echo', 1)).rejects.toMatchObject(why);
  await expect(echo('exits').ready).rejects.toThrow('lost: ended: ended with code 4');
});

test('closing waits for pending calls and rejects later ones', async () => {
  const rpc = await ready();
  const first = rpc.call('meet', 2);
  const second = rpc.call('meet', 2);
  const closed = rpc.close(new Error('closed'));
  await expect(rpc.call('echo', 1)).rejects.toThrow('closed');
  await closed;
  expect(await Promise.all([first, second])).toEqual([2, 2]);
  expect(rpc.close(new Error('again'))).toBe(rpc.close(new Error('again')));
  expect(deaths).toEqual([]);
});

test('closing also ends when the thread dies meanwhile', async () => {
  const rpc = await ready();
  const dies = rpc.call('die', 'exit').catch((e: Error) => e.message);
  await rpc.close(new Error('closed'));
  expect(await dies).toBe('closed');
});

test.each([
  ['words', 'hello'],
  ['nothing', null],
  ['an unknown method', { method: 'other', args: [] }],
  ['an inherited property', { method: 'constructor', args: ['code'] }],
  ['arguments that are not a list', { method: 'note', args: 'line' }],
])('a thread that sends %s is terminated', async (_, message) => {
  const rpc = rogue(message, { methods: { half: (bytes) => bytes, note: () => {} } });
  const ended = once(worker, 'exit');
  await expect(rpc.ready).rejects.toThrow('lost: malformed');
  await ended;
});

test('answers to unknown calls are ignored, and a malformed error is still an error', async () => {
  const rpc = rogue({ answer: 99, result: 1 });
  const waiting = rpc.ready.catch((e: Error) => e.message);
  await once(worker, 'message');
  await rpc.terminate(new Error('enough'));
  expect(await waiting).toBe('enough');
  const { ready } = rogue({
    answer: 0,
    error: { fields: { name: 'ReasonError', reason: 'mine' } },
  });
  await expect(ready).rejects.toBeInstanceOf(Error);
});
