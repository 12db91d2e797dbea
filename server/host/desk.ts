/** What the host's calls work with. */
import type { RoomSettings } from '../../shared/host/settings.ts';
import type { BackendName } from '../engine/backend.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Bans } from '../net/bans.ts';
import type { Log } from '../operations/log.ts';
import type { Clock } from '../platform/clock.ts';
import type { Rooms } from '../rooms.ts';
import type { Stock } from '../stock.ts';
import type { Chronicle } from '../store/chronicle.ts';
import type { Store } from '../store/store.ts';
import type { Ticker } from '../world/ticker.ts';
import type { World } from '../world/world.ts';

export interface Desk {
  readonly rooms: Rooms;
  readonly world: World;
  readonly ticker: Ticker;
  readonly bans: Bans;
  readonly stock: ReadonlyMap<string, Stock>;
  readonly engine: EngineInfo;
  /** What cells are kept in; absent: they end with the server. */
  readonly kept: { readonly store: Store; readonly chronicle: Chronicle } | undefined;
  /** What the host's wishes are kept in. */
  readonly store: Store;
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
