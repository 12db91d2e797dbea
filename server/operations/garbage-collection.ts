/** Configures V8's garbage collection for ticks that must be on time. */
import { setFlagsFromString } from 'node:v8';

/**
 * The heap may grow to three times its live size before a full collection. By default, a small
 * heap may grow by 8 MB, external buffers included. A busy room allocates that in a second, which
 * would mean a pause of 30 to 60 ms every second. Young objects are still collected, in 2 ms.
 */
const GROWTH_PERCENT = 200;

/** Makes full collections rare, in this process and all its threads. */
export function collectGarbageRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
