/** What the host's calls work with. */
import type { RoomSettings } from '../../shared/host/settings.ts';
import type { BackendName } from '../engine/backend.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { Store } from '../storage/store.ts';
import type { Ticker } from '../world/ticker.ts';
import type { World } from '../world/world.ts';

export interface HostContext {
  readonly rooms: RoomRegistry;
  readonly world: World;
  readonly ticker: Ticker;
  readonly bans: Bans;
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  readonly engine: EngineInfo;
  /** What cells are kept in; absent: they end with the server. */
  readonly storage: { readonly store: Store; readonly journalWriter: JournalWriter } | undefined;
  /** What the host's wishes are kept in. */
  readonly hostStore: Store;
  /** Folder of what is kept. */
  readonly folder: string | undefined;
  /** Where / leads to. */
  readonly defaultRoom: string;
  /** Folder of a checkpoint, by its name. */
  readonly checkpointFolder: (name: string) => string | undefined;
  readonly backend: BackendName | 'auto';
  /** Where visitors find this server, the best address first. */
  readonly addresses: () => string[];
  /** How a room is set that nobody has touched. */
  readonly defaults: RoomSettings;
  /** When the server was started, wall clock, ms. */
  readonly since: number;
  /** Of the server. */
  readonly version: string;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}
