/** How V8 collects garbage in a server whose ticks must come in time. */
import { setFlagsFromString } from 'node:v8';

/**
 * The heap may grow to three times what lives in it before all of it is looked through; usual are 8 MB more, if it is small. Those
 * 8 MB, in which buffers outside of the heap are counted, are what a busy room makes in a second: a collection of 30 to 60 ms each
 * second, while a tick waits. What dies young is collected all the same, in 2 ms.
 */
const GROWTH_PERCENT = 200;

/** For this process and all of its threads, from now on. */
export function collectGarbageRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
