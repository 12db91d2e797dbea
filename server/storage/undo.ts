/**
 * Undoes recent commands: starts from a snapshot, replays the journal without these commands in a
 * scratch room (a temporary copy), and then replaces the room's state by the scratch room's. Start
 * reading at `undo`.
 */
import type { CallBody, HostCommand } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { TimePoint } from '../../shared/time-points.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import type { RoomEvent } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { withoutContinuations } from '../world/strokes.ts';
import { settled } from '../world/tick-times.ts';
import type { Ticker } from '../world/ticker.ts';
import type { World } from '../world/world.ts';
import type { JournalWriter } from './journal-writer.ts';
import {
  isStandalone,
  type JournalRecord,
  type Jump,
  type SnapshotRecord,
} from './record-schemas.ts';
import { byTick, tickAgain } from './recovery.ts';
import { listOf, type Store } from './store.ts';

export interface UndoOptions {
  readonly store: Store;
  readonly world: World;
  readonly journalWriter: JournalWriter;
  readonly room: Room;
  readonly ticker: Pick<Ticker, 'hold' | 'resume'>;
  /** Called before the undo begins, but only if there is something to undo. */
  readonly begin?: () => Promise<void>;
}

/** The commands to undo: all in a recent period, or a single command of the host. */
type UndoRequest = CallBody<'undo'> | HostCommand;

type UndoJump = Jump & { readonly why: 'undo' };

/** A room's tick rate may briefly exceed its setting by at most this factor. */
const SLACK = 1.1;
/** Maximum tick rate of a room, in ticks per second. */
const MAX_TICK_RATE = 60;
/** Maximum number of snapshots to consider as the start of the replay. */
const MAX_BASES = 8;
/**
 * If the replay is at most this many ticks behind the room, the room is paused while the replay
 * catches up.
 */
const CLOSE_TICKS = 8;
/**
 * The replay catches up with the running room in several passes. If a pass leaves more than this
 * share of the lag (the ticks by which the replay is behind the room), the replay is too slow to
 * catch up, so the room is paused.
 */
const MAX_REMAINING = 0.9;

/**
 * Undoes commands while the room runs.
 *
 * @returns `commands`: number of undone commands (a stroke sent in several messages counts as one);
 *   `backup`: a snapshot of the room before the undo
 * @throws HostRefusal 'nothing-to-undo' or 'undo-too-far', after which the room is unchanged;
 *   StoreError; EngineError
 */
export async function undo(options: UndoOptions, request: UndoRequest) {
  const { store, journalWriter, room } = options;
  const { name } = room;
  const { seq: last } = journalWriter.tailOf(room);
  const asked = { tick: room.tick, at: journalWriter.now() };
  await journalWriter.flushed();
  const oldest =
    'tick' in request ? request.tick : tickBefore(asked.tick, request, MAX_TICK_RATE) + 1;
  const isBefore = ({ tick: then }: SnapshotRecord): boolean => then < oldest;
  const earliest = journalWriter.snapshotsOf(room).filter(isBefore)[MAX_BASES - 1];
  // Include the tick in progress, `room.tick + 1`, which may already have a journal entry.
  const journal = await listOf(store.journal(name, (earliest?.tick ?? -1) + 1, room.tick + 1));
  const latest: UndoJump =
    'tick' in request
      ? { why: 'undo', from: request.tick, to: request.tick, by: HOUSE.id, id: request.id }
      : recentUndo(options, journal, request, asked);
  // Ignore commands that an earlier undo has already undone. An undo before the last restore of a
  // snapshot does not count, because the restore cancelled its effect.
  const restored = journal.findLast(({ jump }) => jump?.why === 'restore')?.tick ?? -1;
  const earlier = undosAfter(journal, restored);
  const undone = journal.flatMap((entry) =>
    undoneIn(entry, [latest]).filter(
      (event) => !earlier.some((one) => covers(one, entry.tick, event)),
    ),
  );
  if (undone.length === 0) throw new HostRefusal('nothing-to-undo');
  const base = baseFor(journalWriter.snapshotsOf(room), journal, latest.from, last);
  const undos = [latest, ...undosAfter(journal, base.tick)];
  const backup = await journalWriter.whileReading(room, base.tick, async () => {
    await options.begin?.();
    return rewrite(options, base, undos);
  });
  return { commands: withoutContinuations(undone.map(({ command }) => command)).length, backup };
}

/**
 * Returns the last tick that is certainly before the requested period, if the room ran at `rate`
 * ticks per second or slightly faster.
 */
const tickBefore = (now: number, { seconds, ago }: CallBody<'undo'>, rate: number): number =>
  now - Math.ceil((ago + seconds) * SLACK * rate);

/**
 * Finds the range of ticks that contain the commands to undo.
 *
 * @throws HostRefusal 'nothing-to-undo' if no commands match the request
 */
function recentUndo(
  { room, journalWriter }: UndoOptions,
  journal: readonly JournalRecord[],
  request: CallBody<'undo'>,
  asked: TimePoint,
): UndoJump {
  const { tick, tickRate } = room;
  const { seconds, ago, participant: by } = request;
  const times = settled(journal, { tick, at: journalWriter.now() }, 1000 / tickRate);
  const until = ago > 0 ? asked.at - 1000 * ago : Infinity;
  const since = asked.at - 1000 * (ago + seconds);
  // If the clock was changed, the wall-clock times in the journal may be wrong. So also ignore
  // ticks that are too old. Compute the limit from the tick rate or, if this rate has changed, from
  // the maximum tick rate.
  const oldest = tickBefore(asked.tick, request, MAX_TICK_RATE);
  const isChanged = journal.some(
    (entry) =>
      entry.tick >= oldest &&
      entry.events.some((one) => one.what === 'energy' && one.tickRate !== tickRate),
  );
  const after = isChanged ? oldest : tickBefore(asked.tick, request, tickRate);
  const all: UndoJump = { why: 'undo', from: 0, to: Infinity, by };
  const within = journal.filter(
    (entry, i) =>
      times[i].at >= since &&
      times[i].at <= until &&
      entry.tick > after &&
      undoneIn(entry, [all]).length > 0,
  );
  if (within.length === 0) throw new HostRefusal('nothing-to-undo');
  return { ...all, from: within[0].tick, to: within.at(-1)!.tick };
}

/**
 * Replays the journal without the undone commands, and replaces the room's state by the result.
 *
 * @param base the snapshot from which the replay starts
 * @param undos the new undo, then the earlier undos since `base`, which the replay must repeat
 * @returns a snapshot of the room before the undo
 * @throws HostRefusal 'undo-too-far' if journal entries are missing
 */
async function rewrite(options: UndoOptions, base: SnapshotRecord, undos: readonly UndoJump[]) {
  const { store, world, journalWriter, room, ticker } = options;
  const { name, species } = room;
  const { width, height } = room.grid;
  const scratch = world.beside();
  const place = { name, width, height, species };
  const replayed = await scratch.restore(place, await store.moment(name, base.tick));
  let { seq } = base;
  /** Replays the journal in the scratch world up to a tick. */
  const replayTo = async (to: number): Promise<void> => {
    const entryOf = byTick(store.journal(name, replayed.tick + 1, to));
    while (replayed.tick < to) {
      const entry = await entryOf(replayed.tick + 1);
      if (entry && entry.seq !== ++seq) throw new HostRefusal('undo-too-far');
      if (entry) replayed.redo(eventsWithout(undos, entry));
      await tickAgain(scratch, replayed);
    }
  };
  let held = false;
  let merged = false;
  try {
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      const behind = room.tick - replayed.tick;
      // Pause the room if the replay has almost caught up, or is too slow to catch up with a
      // running room.
      if (behind <= CLOSE_TICKS || behind > MAX_REMAINING * before) break;
      before = behind;
      await replayTo(room.tick);
    }
    await ticker.hold(room);
    held = true;
    await journalWriter.flushed();
    await replayTo(room.tick);
    // If some journal entries could not be stored, the replay lacks their commands. Refuse the
    // undo, because it would undo these commands, too.
    if (seq !== journalWriter.tailOf(room).seq) throw new HostRefusal('undo-too-far');
    // The replacement of the room's state counts as the room's next tick, which has no commands. So
    // step the replayed room to this tick.
    await scratch.tick([replayed]);
    const backup = await journalWriter.takeSnapshot(room, { before: 'undo' });
    await world.merge(room, replayed);
    merged = true;
    await journalWriter.recordJump(room, undos[0]);
    return backup;
  } finally {
    if (!merged) await scratch.close(replayed);
    // Other code may have paused the room, too. Resume it only if this function paused it.
    if (held) ticker.resume(room);
  }
}

/**
 * Returns the events to replay in a tick. Marks undone commands. Omits refused commands, except
 * seeds that were refused for lack of engine memory: they used up ids and random numbers, so the
 * replay must use these up, too.
 */
function eventsWithout(undos: readonly UndoJump[], entry: JournalRecord): RoomEvent[] {
  const wasOutOfMemory = entry.events.some(({ what }) => what === 'no-memory');
  let index = 0;
  return entry.events.flatMap((event): RoomEvent[] => {
    if (event.what !== 'command') return [event];
    if (entry.refused?.includes(index++)) {
      const isSeed = event.command.what === 'plant' || event.command.what === 'renew';
      return wasOutOfMemory && isSeed ? [event] : [];
    }
    const isUndone = undos.some((one) => covers(one, entry.tick, event));
    return [{ ...event, past: isUndone ? 'undone' : 'accepted' }];
  });
}

function covers(
  { from, to, by, id }: UndoJump,
  tick: number,
  { id: sent, command }: RoomEvent<'command'>,
): boolean {
  if (tick < from || tick > to || (id !== undefined && id !== sent)) return false;
  return by === null ? command.by.id !== HOUSE.id : command.by.id === by;
}

/** Returns the commands of a tick that `undos` undo. */
function undoneIn(entry: JournalRecord, undos: readonly UndoJump[]): RoomEvent<'command'>[] {
  return eventsWithout(undos, entry).filter(
    (event): event is RoomEvent<'command'> => event.what === 'command' && event.past === 'undone',
  );
}

const undosAfter = (journal: readonly JournalRecord[], base: number): UndoJump[] =>
  journal.flatMap(({ tick, jump }) => (jump?.why === 'undo' && tick > base ? [jump] : []));

/**
 * Finds the latest snapshot from which an undo can be replayed. The snapshot must be older than all
 * commands to undo, and the journal after it must be complete. Since this snapshot, no snapshot may
 * have been restored, and no commands from before it may have been undone.
 *
 * @param first tick of the first command to undo
 * @param last sequence number of the last journal entry
 * @throws HostRefusal 'undo-too-far' if there is no such snapshot
 */
function baseFor(
  snapshots: readonly SnapshotRecord[],
  journal: readonly JournalRecord[],
  first: number,
  last: number,
): SnapshotRecord {
  for (const snapshot of snapshots) {
    const { tick, seq } = snapshot;
    if (tick >= first || isStandalone(snapshot)) continue;
    const after = journal.filter((entry) => entry.tick > tick);
    const isConsecutive = after.every((entry, i) => entry.seq === seq + 1 + i);
    const isComplete = isConsecutive && seq + after.length >= last;
    const canReplay = after.every(({ jump }) => {
      return !jump || (jump.why === 'undo' && jump.from > tick);
    });
    if (isComplete && canReplay) return snapshot;
  }
  throw new HostRefusal('undo-too-far');
}

/**
 * Restores a snapshot while the room runs.
 *
 * @param tick the snapshot's tick
 * @returns a snapshot of the room before the restoration
 * @throws HostRefusal 'no-such-snapshot'; StoreError; EngineError
 */
export async function restoreSnapshot(
  { store, world, journalWriter, room, ticker }: UndoOptions,
  tick: number,
): Promise<SnapshotRecord> {
  if (!journalWriter.snapshotsOf(room).some((one) => one.tick === tick)) {
    throw new HostRefusal('no-such-snapshot');
  }
  const read = () => store.intactMoment(room.name, tick);
  const moment = await journalWriter.whileReading(room, tick, read);
  if (!moment) throw new HostRefusal('no-such-snapshot', 'The snapshot is damaged.');
  const { state, cells } = moment;
  await ticker.hold(room);
  try {
    const backup = await journalWriter.takeSnapshot(room, { before: 'restore' });
    const { planes: _, organisms: _replaced, departed, lineage, ...present } = room.export();
    const { organisms, planes } = state;
    const living = new Set(organisms.map(({ id }) => id));
    // The restored organisms are alive again. So remove them from two lists: the departed
    // organisms, and the ended organisms of the family tree (`lineage`).
    const gone = departed?.filter(({ id }) => !living.has(id)) ?? [];
    const ended = lineage?.ended.filter(({ id }) => !living.has(id)) ?? [];
    const from = {
      ...present,
      ...(gone.length > 0 && { departed: gone }),
      ...(lineage && { lineage: { ...lineage, ended } }),
      ...{ tick: present.tick + 1, organisms, planes },
    };
    await world.replaceState(room, from, cells);
    await journalWriter.recordJump(room, { why: 'restore', tick });
    return backup;
  } finally {
    ticker.resume(room);
  }
}
