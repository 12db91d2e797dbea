/**
 * Commands, snapshots and undo on behalf of the host. An undo replays a room's journal without the
 * undone commands.
 */
import type { CallAnswer, CallBody, HostCommand } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { SnapshotState } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { BackendName } from '../engine/backend.ts';
import type { SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import type { CheckpointLibrary } from '../rooms/checkpoint-library.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { RoomRegistry, RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { SnapshotRecord } from '../storage/record-schemas.ts';
import { restoreSnapshot, type UndoOptions, undo } from '../storage/undo.ts';
import type { Answer } from '../world/commands.ts';
import type { Room } from '../world/room.ts';

export interface HostContext extends Omit<RoomRegistryOptions, 'wallInfo' | 'maxSpectators'> {
  readonly rooms: RoomRegistry;
  /** The same object as `rooms`, if the server is part of a cluster; otherwise undefined. */
  readonly cluster: ClusterRooms | undefined;
  readonly library: CheckpointLibrary;
  /** Paths of the checkpoints' folders, by checkpoint name. */
  readonly checkpointFolders: ReadonlyMap<string, string>;
  /**
   * URL of the Valkey server that stores the rooms; undefined if rooms are not stored in Valkey.
   */
  readonly valkey: string | undefined;
  /** The data folder; undefined if nothing is stored. */
  readonly folder: string | undefined;
  readonly backend: BackendName | 'auto';
  /** Returns the URLs at which visitors can reach the server, the most likely to work first. */
  readonly addresses: () => string[];
  /** When the server started (wall clock, ms). */
  readonly since: number;
  readonly version: string;
  /**
   * The disk of the data folder; undefined if nothing is stored. `free` is the free space in bytes;
   * undefined if unknown.
   */
  readonly disk: { readonly free: number | undefined } | undefined;
}

/** Converts a stored snapshot's record to the data that the host's page gets. */
export function snapshotStateOf({ tick, at, name, before, cells }: SnapshotRecord): SnapshotState {
  return { tick, at, name: name ?? null, before: before ?? null, organisms: cells.length };
}

/** Takes a snapshot between two ticks. @returns null if rooms are not stored */
export async function takeSnapshot(
  { ticker, storage }: Pick<HostContext, 'ticker' | 'storage'>,
  room: Room,
  label: Parameters<JournalWriter['takeSnapshot']>[1],
): Promise<SnapshotState | null> {
  if (!storage) return null;
  await ticker.hold(room);
  const taken = storage.journalWriter.takeSnapshot(room, label);
  ticker.resume(room);
  return snapshotStateOf(await taken);
}

/**
 * Executes a command of the host at the room's next tick, and returns the room's answer.
 *
 * @throws HostRefusal 'room-busy'; 'room-closed' or 'elsewhere' if the room no longer runs on this
 *   server
 */
export async function runSystemCommand(
  { server }: OpenRoom,
  command: SystemCommand,
): Promise<Answer> {
  try {
    return await server.dispatcher.hostActor.act(command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason } = error;
    if (reason === 'room-closed' || reason === 'elsewhere') throw new HostRefusal(reason);
    throw new HostRefusal('room-busy', reason);
  }
}

/** Waits until all commands are answered. @returns number of commands that the room executed */
export async function countExecuted(commands: readonly Promise<Answer>[]): Promise<number> {
  const results = await Promise.allSettled(commands);
  return results.filter((one) => one.status === 'fulfilled' && !one.value.refused).length;
}

type UndoHost = HostContext & { readonly farewells: { stop(room: string): Promise<void> } };

/**
 * Undoes the commands of a recent period, or one command of the host. For a period, undoes the
 * commands of `participant` or, if `participant` is null, of everybody except the host.
 *
 * @throws HostRefusal
 */
export async function undoCommands(
  host: UndoHost,
  request: CallBody<'undo'> | HostCommand,
  { room: name }: Readonly<Record<string, string>>,
): Promise<CallAnswer<'undo'>> {
  const { rooms, farewells } = host;
  const live = rooms.requireOpen(name);
  return rooms.during(name, 'undoing', async () => {
    // First stop the room's farewell, if any, which would make the restored organisms dissolve.
    const begin = () => farewells.stop(name);
    const options = { ...optionsFor(host, live), begin };
    const { commands, backup } = await shown(live, () => undo(options, request));
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
 * Runs `work`, which changes a room's state. Then sends the new state to all clients, even if
 * `work` fails. But if `work` throws a HostRefusal, nothing has changed, and nothing is sent.
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

/**
 * Collects the options for an undo in a room. @throws HostRefusal 'not-kept' if nothing is stored
 */
function optionsFor({ storage, world, ticker }: HostContext, { room }: OpenRoom): UndoOptions {
  if (!storage) throw new HostRefusal('not-kept');
  const { store, journalWriter } = storage;
  return { store, journalWriter, world, room, ticker };
}
