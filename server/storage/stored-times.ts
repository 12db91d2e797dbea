/** When the ticks of a stored room were, by the wall clock. */
import type { TimePoint } from '../../shared/time-points.ts';
import { TickTimes } from '../world/tick-times.ts';
import type { Store } from './store.ts';

/** Largest tick: keys have twelve digits. */
const MAX_TICK = 999_999_999_998;

/**
 * The stored times of a room: with its latest snapshot, and with its journal since.
 *
 * @throws StoreError damaged: an entry of the journal is
 */
export async function storedTimes(store: Store, name: string): Promise<TickTimes> {
  const snapshots: TimePoint[] = [];
  let known: readonly TimePoint[] | undefined;
  for (const tick of await store.snapshotTicks(name)) {
    const snapshot = await store.snapshot(name, tick).catch(() => undefined);
    if (!snapshot) continue;
    snapshots.unshift({ tick, at: snapshot.at });
    known = snapshot.times;
    if (known) break;
  }
  const times = new TickTimes(known);
  for (const point of snapshots) times.add(point);
  const since = snapshots.at(-1)?.tick ?? 0;
  for await (const { tick, at } of store.journal(name, since + 1, MAX_TICK))
    times.add({ tick, at });
  return times;
}
