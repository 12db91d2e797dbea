/** Which snapshots of a room are kept. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { SnapshotRecord } from './record-schemas.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface KeepLimits {
  readonly keepLatest: number;
  readonly keepMinutes?: number;
  readonly keepHours: number;
  readonly keepDays: number;
  readonly keepBefore?: number;
  readonly maxBytes: number;
}

/** Whether the host has put it aside: it is kept by other rules, and its journal with it is not. */
export const isSetAside = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;

/**
 * The latest, the first of each of the last minutes, the last of each of the last hours and days; and of those no more than have room. What the host has named
 * stays, and the last few that were taken before she changed a room as a whole. Where a room became another at once stays as long as
 * anything from before it does: it cannot be worked out.
 *
 * @param snapshots the latest first
 * @param limits `DEFAULTS.store`
 * @returns those that are kept, the latest first
 */
export function retainedSnapshots(
  snapshots: readonly SnapshotRecord[],
  limits: KeepLimits = DEFAULTS.store,
): SnapshotRecord[] {
  const routine = keptRoutine(
    snapshots.filter((one) => !isSetAside(one)),
    limits,
  );
  const aside = snapshots
    .filter(({ name, before }) => name === undefined && before !== undefined)
    .slice(0, limits.keepBefore ?? 0);
  const first = Math.min(...routine.map(({ tick }) => tick));
  const wanted = new Set([...routine, ...aside]);
  return snapshots.filter((one) => {
    return wanted.has(one) || one.name !== undefined || (one.jump && one.tick > first);
  });
}

function keptRoutine(snapshots: readonly SnapshotRecord[], limits: KeepLimits): SnapshotRecord[] {
  const latest = snapshots[0]?.at ?? 0;
  const seen = new Set<string>();
  const { keepLatest, keepMinutes = 0, keepHours, keepDays, maxBytes } = limits;
  // The first of a minute: all that was done in it came later, or in the minute before.
  const minutes = new Map<number, SnapshotRecord>();
  for (const one of snapshots) {
    if (latest - one.at < keepMinutes * MINUTE) minutes.set(Math.floor(one.at / MINUTE), one);
  }
  const firsts = new Set(minutes.values());
  const wanted = snapshots.filter((one, i) => {
    const { at } = one;
    const ago = latest - at;
    const spans: string[] = [];
    if (ago < keepHours * HOUR) spans.push(`hour ${Math.floor(at / HOUR)}`);
    if (ago < keepDays * DAY) spans.push(`day ${Math.floor(at / DAY)}`);
    const first = spans.some((span) => !seen.has(span));
    for (const span of spans) seen.add(span);
    return first || i < keepLatest || firsts.has(one);
  });
  let bytes = 0;
  return wanted.filter((snapshot, i) => {
    bytes += snapshot.bytes;
    return i < keepLatest || bytes <= maxBytes;
  });
}
