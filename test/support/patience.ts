/** How long a machine that has other things to do may take. */
import { availableParallelism, loadavg } from 'node:os';

/** By how much it may be later than one that is at leisure: as many times as jobs wait for each of its cores; at least 1. */
export const generousTimeout = (): number => Math.max(1, loadavg()[0] / availableParallelism());
