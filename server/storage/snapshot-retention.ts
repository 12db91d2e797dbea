/** Decides which snapshots of a room are kept. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { SnapshotRecord } from './record-schemas.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type KeepLimits = Readonly<
  Record<'keepLatest' | 'keepHours' | 'keepDays' | 'maxBytes', number> &
    Partial<Record<'keepMinutes' | 'keepBefore', number>>
>;

/**
 * Whether a snapshot is named or precedes a host's action: other rules apply, without its journal.
 */
export const isStandalone = ({ name, before }: Pick<SnapshotRecord, 'name' | 'before'>): boolean =>
  name !== undefined || before !== undefined;

/**
 * Keeps the latest snapshots, the first of each of the last minutes and the last of each of the
 * last hours and days, subject to a limit of what was written for them. Also keeps named snapshots, the last few that
 * precede a host's action, and snapshots of a replaced state while older ones exist, as a replay
 * needs them.
 *
 * @param snapshots latest first
 * @returns the snapshots to keep, latest first
 */
export function retainedSnapshots(
  snapshots: readonly SnapshotRecord[],
  limits: KeepLimits = DEFAULTS.store,
): SnapshotRecord[] {
  const periodic = retainedPeriodic(
    snapshots.filter((one) => !isStandalone(one)),
    limits,
  );
  const beforeActions = snapshots
    .filter(({ name, before }) => name === undefined && before !== undefined)
    .slice(0, limits.keepBefore ?? 0);
  const first = Math.min(...periodic.map(({ tick }) => tick));
  const wanted = new Set([...periodic, ...beforeActions]);
  return snapshots.filter((one) => {
    return wanted.has(one) || one.name !== undefined || (one.jump && one.tick > first);
  });
}

function retainedPeriodic(
  snapshots: readonly SnapshotRecord[],
  limits: KeepLimits,
): SnapshotRecord[] {
  const latest = snapshots[0]?.at ?? 0;
  const seen = new Set<string>();
  const { keepLatest, keepMinutes = 0, keepHours, keepDays, maxBytes } = limits;
  // The first of a minute, as an undo must start before everything done in that minute.
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
