/** A gardener for each room. */

import { DEFAULTS } from '../../../shared/defaults.ts';
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Lobby } from '../../net/lobby.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Joined, RoomClosed, RoomOpened, Stirred, Ticked } from '../extension.ts';
import type { Listener } from '../hooks.ts';
import { Gardener } from './gardener.ts';

export interface GardenersOptions {
  /** Of the open rooms. */
  readonly lobbies: ReadonlyMap<string, Lobby>;
  readonly clock: Clock;
  /** Of their chance, which is not the rooms'. */
  readonly seed: number;
  /** ms without visitors after which a room's gardener begins; 'off': never. */
  readonly after: (room: string) => number | 'off';
}

export class Gardeners implements Listener {
  readonly name = 'The gardener';
  private readonly gardeners = new Map<string, Gardener>();

  constructor(private readonly options: GardenersOptions) {}

  of(room: string): Gardener | undefined {
    return this.gardeners.get(room);
  }

  onRoomOpened({ room }: RoomOpened): void {
    const { lobbies, clock, seed, after } = this.options;
    const lobby = lobbies.get(room);
    if (!lobby) return;
    const stagehand = lobby.employ(DEFAULTS.attract.name, false);
    const gardener = new Gardener({
      room: lobby.room,
      clock,
      random: createRandom(hashText(`${seed}/${room}/gardener`)),
      act: (act) => stagehand.act(act),
      // Outside the open hours a wall is dim.
      watched: () => lobby.watched && !lobby.rules.dim,
      after: after(room),
    });
    this.gardeners.set(room, gardener);
  }

  onRoomClosed({ room }: RoomClosed): void {
    this.gardeners.delete(room);
  }

  onJoined({ room }: Joined): void {
    this.gardeners.get(room)?.stirred();
  }

  onStirred({ room }: Stirred): void {
    this.gardeners.get(room)?.stirred();
  }

  onTick({ room }: Ticked): void {
    this.gardeners.get(room)?.tick();
  }
}
