/**
 * The services that the modules of server/host use, and operations on rooms that several of these
 * modules need. Start reading in host.ts.
 */
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { RoomSettings } from '../../shared/host/room-settings.ts';
import type { SnapshotState } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { BackendName } from '../engine/backend.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import type { WallSeats } from '../realtime/policy/wall-seats.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { OpenRoom, RoomStorage } from '../rooms/live-room.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { SnapshotRecord } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';
import type { Answer } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import type { Ticker } from '../world/ticker.ts';
import type { World } from '../world/world.ts';

export interface HostContext {
  readonly rooms: RoomRegistry;
  /** The same object as `rooms`, if other servers share the rooms. */
  readonly cluster: ClusterRooms | undefined;
  readonly world: World;
  readonly ticker: Ticker;
  readonly bans: Bans;
  readonly wallSeats: WallSeats;
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  /** Folders of checkpoints, by name. */
  readonly checkpointFolders: ReadonlyMap<string, string>;
  readonly engine: EngineInfo;
  /** Storage of the rooms; undefined if rooms are not stored. */
  readonly storage: RoomStorage | undefined;
  /** Storage of the host's settings. */
  readonly hostStore: Store;
  /** URL of the Valkey server that stores the rooms; undefined if the folder stores them. */
  readonly valkey: string | undefined;
  /** The data folder; undefined: nothing is stored. */
  readonly folder: string | undefined;
  readonly backend: BackendName | 'auto';
  /** The server's addresses for visitors, the likeliest to work first. */
  readonly addresses: () => string[];
  /** Settings of rooms whose settings the host has not changed. */
  readonly defaults: RoomSettings;
  /** When the server started (wall clock, ms). */
  readonly since: number;
  readonly version: string;
  /** Free space on the data folder's disk in bytes, if known; undefined if nothing is stored. */
  readonly disk: { readonly free: number | undefined } | undefined;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}

/** Converts a snapshot's record to the form that the host's page shows. */
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
 * Runs a command. Resolves to its answer at the room's next tick.
 *
 * @throws HostRefusal room-busy; room-closed or elsewhere if the room has stopped
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

/** Waits for several commands. @returns number of commands that the room executed */
export async function countExecuted(commands: readonly Promise<Answer>[]): Promise<number> {
  const results = await Promise.allSettled(commands);
  return results.filter((one) => one.status === 'fulfilled' && !one.value.refused).length;
}

const REASONS: Readonly<Record<string, HostReason>> = {
  'no-such-organism': 'no-such-organism',
  'off-grid': 'off-grid',
};

/**
 * Runs a command that the room must not refuse.
 *
 * @returns the answer, and a reference to the command, for `undoCommand`
 * @throws HostRefusal
 */
export async function requireSystemCommand(live: OpenRoom, act: SystemCommand) {
  const answer = await runSystemCommand(live, act);
  const { refused, id } = answer;
  if (refused) throw new HostRefusal(REASONS[refused.reason] ?? 'failed', refused.detail);
  return { answer, command: { tick: live.room.tick, id } };
}
