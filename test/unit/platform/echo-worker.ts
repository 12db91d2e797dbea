/** A thread that answers, fails and ends in every way, as `workerData` says. */
import { workerData } from 'node:worker_threads';
import { serveWorker } from '../../../server/platform/worker-rpc.ts';
import { PrivateError, ReasonError } from './reason-error.ts';

/** What the test's side can be asked. */
export interface Asker {
  half(bytes: Uint8Array): Uint8Array;
  note(line: string): void;
}

export interface Echo {
  echo<T>(value: T): T;
  /** Answers once it has been asked so often. */
  meet(times: number): Promise<number>;
  fail(how: 'reason' | 'private' | 'range' | 'thrown' | 'uncloneable'): unknown;
  die(how: 'exit' | 'throw'): Promise<never>;
  wait(): Promise<never>;
  /** Two views of one buffer. */
  give(size: number): { readonly bytes: Uint8Array; readonly view: Uint8Array };
  /** Bytes of the given buffer that are still here. */
  left(): number;
  /** Has bytes halved by the other side. */
  halve(size: number): Promise<Uint8Array>;
  note(line: string): void;
}

let given: Uint8Array;
let met = 0;
const waiting: (() => void)[] = [];

await serveWorker<Echo, Asker, string>(async (asker) => {
  if (workerData === 'refuses') throw new ReasonError('refused', { at: 'start' });
  if (workerData === 'exits') process.exit(4);
  if (workerData === 'calls') asker.notify('note', 'from the start');
  return {
    ready: `ready: ${workerData}`,
    methods: {
      echo: (value) => value,
      async meet(times) {
        if (++met === times) for (const go of waiting.splice(0)) go();
        else await new Promise<void>((go) => waiting.push(go));
        return met;
      },
      fail(how) {
        if (how === 'reason') throw new ReasonError('too-red', { red: 1 });
        if (how === 'private') throw new PrivateError('hidden', {});
        if (how === 'range') throw new RangeError('too far');
        if (how === 'thrown') throw 'just words';
        return () => 'a function cannot be cloned';
      },
      die(how) {
        if (how === 'exit') process.exit(3);
        setImmediate(() => {
          throw new Error('hit');
        });
        return new Promise(() => {});
      },
      wait: () => new Promise(() => {}),
      give(size) {
        given = new Uint8Array(size).fill(7);
        return { bytes: given, view: given.subarray(1) };
      },
      left: () => given.byteLength,
      halve: (size) => asker.call('half', new Uint8Array(size).fill(9)),
      note: (line) => asker.notify('note', line),
    },
  };
});
