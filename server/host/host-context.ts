/** The services and settings that the host's calls use. */
import type { RoomSettings } from '../../shared/host/settings.ts';
import type { BackendName } from '../engine/backend.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import type { WallPlaces } from '../realtime/policy/wall-places.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { RoomStorage } from '../rooms/live-room.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import type { Store } from '../storage/store.ts';
import type { Ticker } from '../world/ticker.ts';
import type { World } from '../world/world.ts';

/** Shared by all handlers of the host's calls. */
export interface HostContext {
  readonly rooms: RoomRegistry;
  /** The same if other servers share them. */
  readonly cluster: ClusterRooms | undefined;
  readonly world: World;
  readonly ticker: Ticker;
  readonly bans: Bans;
  readonly places: WallPlaces;
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  readonly engine: EngineInfo;
  /** Storage of the rooms; undefined: they end with the server. */
  readonly storage: RoomStorage | undefined;
  /** Storage of the host's settings. */
  readonly hostStore: Store;
  /** Address of the Valkey in which rooms are stored instead. */
  readonly valkey: string | undefined;
  /** The data folder; undefined: nothing is stored. */
  readonly folder: string | undefined;
  /** Folder of a checkpoint, by its name. */
  readonly checkpointFolder: (name: string) => string | undefined;
  readonly backend: BackendName | 'auto';
  /** The server's addresses for visitors, best first. */
  readonly addresses: () => string[];
  /** Settings of a room that the host has not changed. */
  readonly defaults: RoomSettings;
  /** Start of the server, wall clock, ms. */
  readonly since: number;
  /** Version of the server. */
  readonly version: string;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}
