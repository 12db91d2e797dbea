/** Which snapshots of a room are kept. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { SnapshotRecord } from './schemas.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * The latest, the last of each of the last hours and days; and of those no more than have room.
 *
 * @param snapshots the latest first
 * @param limits `DEFAULTS.store`
 * @returns those that are kept, the latest first
 */
export function kept(
  snapshots: readonly SnapshotRecord[],
  limits: {
    readonly keepLatest: number;
    readonly keepHours: number;
    readonly keepDays: number;
    readonly maxBytes: number;
  } = DEFAULTS.store,
): SnapshotRecord[] {
  const latest = snapshots[0]?.at ?? 0;
  const seen = new Set<string>();
  const wanted = snapshots.filter(({ at }, i) => {
    const ago = latest - at;
    const spans: string[] = [];
    if (ago < limits.keepHours * HOUR) spans.push(`hour ${Math.floor(at / HOUR)}`);
    if (ago < limits.keepDays * DAY) spans.push(`day ${Math.floor(at / DAY)}`);
    const first = spans.some((span) => !seen.has(span));
    for (const span of spans) seen.add(span);
    return first || i < limits.keepLatest;
  });
  let bytes = 0;
  return wanted.filter((snapshot, i) => {
    bytes += snapshot.bytes;
    return i < limits.keepLatest || bytes <= limits.maxBytes;
  });
}
