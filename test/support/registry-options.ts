/** What a registry of rooms needs, where only the registry is tested: nothing is stepped. */

import type { Engine } from '../../server/engine/engine.ts';
import { silentLog } from '../../server/platform/log.ts';
import { WallSeats } from '../../server/realtime/policy/wall-seats.ts';
import type { LoadedCheckpoint } from '../../server/rooms/loaded-checkpoint.ts';
import type { RoomRegistryOptions } from '../../server/rooms/room-registry.ts';
import type { Store } from '../../server/storage/store.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import { Ticker, type TickerOptions } from '../../server/world/ticker.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import type { FakeClock } from './fake-clock.ts';
import { SPECIES } from './rooms.ts';

/** An engine that has nothing to keep. */
export const IDLE_ENGINE = {
  info: { name: 'none', device: 'none' },
  dispose: async () => {},
  plant: async () => {},
  importStates: async () => {},
  exportStates: async () => [],
} as Partial<Engine> as Engine;

export function registryOptions(store: Store, clock: FakeClock, tick: TickerOptions['tick']) {
  const ticker = new Ticker({
    clock,
    tick,
    onError: (error) => {
      throw error;
    },
  });
  const { tickRate, maxOrganisms, capacity } = ROOM_DEFAULTS;
  const checkpoint = { species: SPECIES, hash: 'h', facts: { name: 'hand' }, seeds: undefined };
  return {
    ...{ world: new World(IDLE_ENGINE), ticker, clock },
    engine: { name: 'none', device: 'none' } as never,
    checkpoints: new Map([['hand', checkpoint as unknown as LoadedCheckpoint]]),
    hostStore: store,
    defaults: {
      ...ROOM_DEFAULTS,
      tickRate,
      maxOrganisms,
      capacity,
      energy: DEFAULT_ENERGY,
    },
    secret: new Uint8Array(32),
    bans: { isOut: () => false, on: () => {} } as never,
    wallSeats: new WallSeats(() => 0),
    maxSpectators: 200,
    wallInfo: () => ({ origin: '', build: '' }),
    date: () => 0,
    log: silentLog,
  } satisfies RoomRegistryOptions;
}
