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
 * last hours and days that have any, subject to a limit of what was written for them. Also keeps named snapshots, the last few that
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
  const { keepLatest, keepMinutes = 0, keepHours, keepDays, maxBytes } = limits;
  const wanted = new Set([
    ...snapshots.slice(0, keepLatest),
    // The first of a minute, as an undo must start before everything done in that minute.
    ...runsOf(snapshots, MINUTE, keepMinutes).map((run) => run.at(-1)!),
    ...runsOf(snapshots, HOUR, keepHours).map(([last]) => last),
    ...runsOf(snapshots, DAY, keepDays).map(([last]) => last),
  ]);
  let bytes = 0;
  const periodic = snapshots.filter((one) => wanted.has(one));
  return periodic.filter((snapshot, i) => {
    bytes += snapshot.bytes;
    return i < keepLatest || bytes <= maxBytes;
  });
}

/**
 * Groups successive snapshots of one minute, hour or day. The order of ticks decides, not the age of
 * a snapshot: its time may be that of a clock that was wrong.
 *
 * @param span of a group, ms
 * @param most maximum number of groups
 * @returns groups and their snapshots, latest first
 */
function runsOf(snapshots: readonly SnapshotRecord[], span: number, most: number) {
  const runs: SnapshotRecord[][] = [];
  for (const one of snapshots) {
    const run = runs.at(-1);
    if (run && Math.floor(run[0].at / span) === Math.floor(one.at / span)) run.push(one);
    else runs.push([one]);
  }
  return runs.slice(0, most);
}
