/**
 * Takes back what was done of late: the room's past is lived again beside the room, from a snapshot on, without it; when it has
 * caught up, the room becomes that. What others did stays what it was, with its numbers and its chance; what had been refused stays
 * refused.
 */
import { HostRefusal } from '../../shared/host/reasons.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import type { RoomEvent } from '../world/events.ts';
import type { Room } from '../world/room.ts';
import type { World } from '../world/world.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { JournalRecord, Jump, SnapshotRecord } from './record-schemas.ts';
import { reopenRoom } from './recovery.ts';
import { isSetAside } from './snapshot-retention.ts';
import type { Store } from './store.ts';

export interface UndoOptions {
  readonly store: Store;
  readonly world: World;
  readonly journalWriter: JournalWriter;
  readonly room: Room;
  /** Lets the room stand still between two ticks, and go on. */
  readonly hold: () => Promise<void>;
  readonly resume: () => void;
}

export interface UndoRequest {
  /** What was done from then on; wall clock, ms. */
  readonly since: number;
  /** Nothing up to this tick is taken back, whatever the wall clock said then: it may have been set back. */
  readonly after?: number;
  /** Whose; 0: the house's; null: of all but the house. */
  readonly by: number | null;
}

export interface UndoResult {
  /** Commands that were taken back. */
  readonly commands: number;
  /** What the room was before. */
  readonly backup: SnapshotRecord;
}

type Withdrawal = Pick<Jump & { why: 'undo' }, 'from' | 'to' | 'by'>;

/** So many snapshots from before are looked at. */
const MOST_BASES = 8;
/** While it is this far behind, the past is lived without letting the room wait; ticks. */
const CLOSE = 8;
/** What is left of its way each time, at most, as long as the room need not wait. */
const GAINS = 0.9;

const listOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

/**
 * @throws HostRefusal nothing-to-undo, undo-too-far: nothing has changed then; StoreError; EngineError
 */
export async function undo(
  options: UndoOptions,
  { since, after = -1, by }: UndoRequest,
): Promise<UndoResult> {
  const { store, journalWriter, room } = options;
  const { name } = room;
  await journalWriter.flushed();
  const to = room.tick;
  const earliest = journalWriter.snapshotsOf(room).filter(({ at }) => at < since)[MOST_BASES - 1];
  const journal = await listOf(store.journal(name, (earliest?.tick ?? -1) + 1, to));
  const all = { from: 0, to, by };
  const first = journal.find(
    (entry) => entry.at >= since && entry.tick > after && countOf([entry], [all]) > 0,
  );
  if (!first) throw new HostRefusal('nothing-to-undo');
  const withdrawal: Withdrawal = { ...all, from: first.tick };
  // What a restore has brought back is no longer taken back.
  const restored = journal.findLast(({ jump }) => jump?.why === 'restore')?.tick ?? -1;
  const before = withdrawalsAfter(journal, restored);
  const commands = countOf(journal, [withdrawal, ...before]) - countOf(journal, before);
  if (commands === 0) throw new HostRefusal('nothing-to-undo');
  const { tick } = baseFor(journalWriter.snapshotsOf(room), journal, first.tick);
  const withdrawals = [withdrawal, ...withdrawalsAfter(journal, tick)];
  const kept = await journalWriter.whileReading(room, tick, () =>
    rewrite(options, tick, withdrawals),
  );
  return { commands, backup: kept };
}

/**
 * The room becomes what it would be, had what is withdrawn not been done.
 *
 * @param base tick of the snapshot to begin from
 * @param withdrawals the new one first
 * @returns what the room was
 */
async function rewrite(
  options: UndoOptions,
  base: number,
  withdrawals: readonly Withdrawal[],
): Promise<SnapshotRecord> {
  const { store, world, journalWriter, room, hold, resume } = options;
  const { name } = room;
  const { width, height } = room.grid;
  const place = { name: `${name} undo`, width, height, species: room.species };
  const scratch = await reopenRoom(world, place, await store.moment(name, base));
  let merged = false;
  try {
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      const behind = room.tick - scratch.tick;
      // Where the engine has no time for both, the room has to wait for its past.
      if (behind <= CLOSE || behind > GAINS * before) break;
      before = behind;
      await live(options, scratch, room.tick, withdrawals);
    }
    await hold();
    await journalWriter.flushed();
    await live(options, scratch, room.tick, withdrawals);
    // In the tick that follows, the room becomes the other: a tick in which nobody does anything.
    await world.tick([scratch]);
    const kept = await journalWriter.takeSnapshot(room, { before: 'undo' });
    await world.merge(room, scratch);
    merged = true;
    await journalWriter.recordJump(room, { why: 'undo', ...withdrawals[0] });
    return kept;
  } finally {
    if (!merged) await world.close(scratch);
    resume();
  }
}

/** Lives the past up to a tick. */
async function live(
  { store, world, room }: UndoOptions,
  scratch: Room,
  to: number,
  withdrawals: readonly Withdrawal[],
): Promise<void> {
  const entries = store.journal(room.name, scratch.tick + 1, to);
  let entry = await entries.next();
  while (scratch.tick < to) {
    if (!entry.done && entry.value.tick === scratch.tick + 1) {
      scratch.redo(otherwise(entry.value, withdrawals));
      entry = await entries.next();
    }
    await world.tick([scratch]);
  }
}

/** What comes from outside into a tick that is lived again. */
function otherwise(entry: JournalRecord, withdrawals: readonly Withdrawal[]): RoomEvent[] {
  let place = 0;
  return (entry.events as RoomEvent[]).flatMap((event): RoomEvent[] => {
    // What the engine had no memory for is among what was refused.
    if (event.what === 'no-memory') return [];
    if (event.what !== 'command') return [event];
    if (entry.refused?.includes(place++)) return [];
    const isWithdrawn = withdrawals.some((one) => meets(one, entry.tick, event.command.by.id));
    return [{ ...event, past: isWithdrawn ? 'withdrawn' : 'accepted' }];
  });
}

const meets = ({ from, to, by }: Withdrawal, tick: number, participant: number): boolean =>
  tick >= from && tick <= to && (by === null ? participant !== HOUSE.id : participant === by);

/** How many commands are taken back. */
function countOf(journal: readonly JournalRecord[], withdrawals: readonly Withdrawal[]): number {
  return journal
    .flatMap((entry) => otherwise(entry, withdrawals))
    .filter((event) => event.what === 'command' && event.past === 'withdrawn').length;
}

/** What was taken back before, of what is lived again. */
function withdrawalsAfter(journal: readonly JournalRecord[], base: number): Withdrawal[] {
  return journal.flatMap(({ tick, jump }) => {
    return jump?.why === 'undo' && tick > base ? [jump] : [];
  });
}

/**
 * The latest snapshot from which the past can be lived: none of what is taken back is in it, now or by an earlier undo after it.
 *
 * @throws HostRefusal undo-too-far
 */
function baseFor(
  snapshots: readonly SnapshotRecord[],
  journal: readonly JournalRecord[],
  first: number,
): SnapshotRecord {
  for (const snapshot of snapshots) {
    const { tick, seq } = snapshot;
    if (tick >= first || isSetAside(snapshot)) continue;
    const after = journal.filter((entry) => entry.tick > tick);
    const isWhole = after.every((entry, i) => entry.seq === seq + 1 + i);
    const isOne = after.every(({ jump }) => {
      return !jump || (jump.why === 'undo' && jump.from > tick);
    });
    if (isWhole && isOne) return snapshot;
  }
  throw new HostRefusal('undo-too-far');
}
