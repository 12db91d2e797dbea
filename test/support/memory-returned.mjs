// Preloaded by tests: prints, when the process exits, what share of freed large buffers has returned
// to the system.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const COUNT = 400;
const LARGE = 200_000;
/** Larger than all others: with its end, glibc counts buffers of up to this size as small ones. */
const LARGEST = 24_000_000;
const SMALL = 1_000;

if (isMainThread) process.on('exit', () => process.stdout.write(`returned ${measure()}\n`));

function measure() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const free = () => {
    // The second collection waits until buffers of the first one are free.
    collect();
    collect();
  };
  const anonymous = () => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status'))[1]);
  const buffer = (size) => new Uint8Array(size).fill(1);
  buffer(LARGEST);
  free();
  // Small ones, which stay, keep the heap from shrinking at its end.
  const small = [];
  const before = anonymous();
  let large = Array.from({ length: COUNT }, () => {
    small.push(buffer(SMALL));
    return buffer(LARGE);
  });
  const taken = anonymous() - before;
  large = [];
  free();
  return ((taken - (anonymous() - before)) / taken + 0 * (large.length + small.length)).toFixed(2);
}
