/** Undoes commands of a room by replaying its journal without them, and restores snapshots. */
import type { CallAnswer, CallBody, HostCommand } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { restoreSnapshot, type UndoOptions, type UndoRequest, undo } from '../storage/undo.ts';
import type { Farewells } from './farewells.ts';
import { type HostContext, snapshotStateOf } from './host-context.ts';

type UndoHost = HostContext & { readonly farewells: Pick<Farewells, 'stop'> };

/** Factor by which a room's tick rate may briefly exceed the set rate. */
const SLACK = 1.1;

/** Undoes the commands of a period that ended `ago` seconds before now. @throws HostRefusal */
export const undoRecent = (
  host: UndoHost,
  name: string,
  { seconds, ago, participant }: CallBody<'undo'>,
): Promise<CallAnswer<'undo'>> =>
  undoing(host, name, async (options) => {
    const until = options.journalWriter.now() - 1000 * ago;
    const after = await lastTickBefore(options, ago + seconds);
    const since = until - 1000 * seconds;
    return { since, ...(ago > 0 && { until }), after, by: participant };
  });

/** Undoes a single command of the host. @throws HostRefusal */
export const undoCommand = (
  host: UndoHost,
  name: string,
  command: HostCommand,
): Promise<CallAnswer<'undoCommand'>> => undoing(host, name, () => command);

async function undoing(
  host: UndoHost,
  name: string,
  request: (options: Required<UndoOptions>) => UndoRequest | Promise<UndoRequest>,
): Promise<CallAnswer<'undo'>> {
  const { rooms, farewells } = host;
  const live = rooms.requireOpen(name);
  return rooms.during(name, 'undoing', async () => {
    const { tickRate } = rooms.summary(name).settings;
    // Stop the farewell, because it would also remove the restored organisms.
    const begin = () => farewells.stop(name);
    const options = { ...optionsFor(host, live), tickRate, begin };
    const wanted = await request(options);
    const { commands, backup } = await shown(live, () => undo(options, wanted));
    return { undone: commands, kept: snapshotStateOf(backup) };
  });
}

export async function restore(
  host: UndoHost,
  name: string,
  tick: number,
): Promise<CallAnswer<'restore'>> {
  const { rooms, farewells } = host;
  rooms.requireOpen(name);
  await farewells.stop(name);
  const live = rooms.requireOpen(name);
  return rooms.during(name, 'restoring', async () => {
    const options = optionsFor(host, live);
    return { kept: snapshotStateOf(await shown(live, () => restoreSnapshot(options, tick))) };
  });
}

/**
 * Finds the latest tick that is certainly older than `seconds`, even if the wall clock was changed.
 */
async function lastTickBefore(
  { room, store, journalWriter, tickRate }: Required<UndoOptions>,
  seconds: number,
): Promise<number> {
  const { tick, name } = room;
  const most = Math.ceil(seconds * SLACK * MAX_TICK_RATE);
  const changes: RateChange[] = [];
  await journalWriter.flushed();
  for await (const entry of store.journal(name, Math.max(0, tick - most), tick)) {
    for (const event of entry.events) {
      if (event.what === 'energy') changes.push({ tick: entry.tick, rate: event.tickRate });
    }
  }
  return tick - maxTicksIn(seconds * SLACK, { tick, rate: tickRate }, changes);
}

/**
 * Runs work that changes the room's state, then sends the state to all clients. Does so even after
 * a storage error, because the state may have changed.
 */
async function shown<T>({ server }: OpenRoom, work: () => Promise<T>): Promise<T> {
  let isUnchanged = false;
  try {
    return await work();
  } catch (error) {
    isUnchanged = error instanceof HostRefusal;
    throw error;
  } finally {
    if (!isUnchanged) server.refresh.request();
  }
}

/** @throws HostRefusal not-kept */
function optionsFor({ storage, world, ticker }: HostContext, { room }: OpenRoom): UndoOptions {
  if (!storage) throw new HostRefusal('not-kept');
  const { store, journalWriter } = storage;
  return {
    ...{ store, journalWriter, world, room },
    hold: () => ticker.hold(room),
    resume: () => ticker.resume(room),
  };
}

/** The tick rate (ticks per second) that a room has from a given tick on. */
interface RateChange {
  readonly tick: number;
  readonly rate: number;
}

/** Highest tick rate that a room can have, in ticks per second. */
export const MAX_TICK_RATE = 60;

/**
 * Computes the largest possible number of ticks in the last `seconds`.
 *
 * @param now the current tick and rate
 * @param changes changes of the rate, oldest first; the rate before the first one is unknown
 */
export function maxTicksIn(
  seconds: number,
  now: RateChange,
  changes: readonly RateChange[],
): number {
  let left = seconds;
  let end = now.tick;
  // The latest change may not be in the journal yet, so use the higher of the two rates.
  let rate = Math.max(now.rate, changes.at(-1)?.rate ?? 0);
  for (let i = changes.length - 1; i >= 0; i--) {
    const { tick } = changes[i];
    const took = (end - tick) / rate;
    if (took >= left) break;
    left -= took;
    end = tick;
    rate = changes[i - 1]?.rate ?? MAX_TICK_RATE;
  }
  return now.tick - end + Math.ceil(left * rate);
}
