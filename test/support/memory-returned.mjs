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
  let all = Array.from({ length: COUNT }, () => buffer(LARGE));
  const full = anonymous();
  // Every other one stays, so that a heap cannot shrink at its end.
  all = all.filter((_, i) => i % 2 === 0);
  free();
  return ((full - anonymous()) * 1024) / (LARGE * (COUNT - all.length));
}
