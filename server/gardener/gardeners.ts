/** Creates a gardener for each open room and forwards the room's events to it. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { createRandom, hashText } from '../../shared/random.ts';
import type { Joined, RoomClosed, RoomOpened, Stirred, Ticked } from '../extensions/extension.ts';
import type { Listener } from '../extensions/hooks.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { Gardener, type GardenerSettings } from './gardener.ts';

export interface GardenersOptions {
  /** The open rooms, by name. */
  readonly roomServers: ReadonlyMap<string, RoomServer>;
  readonly clock: Clock;
  /** Seed of the gardeners' random numbers, which are not the rooms'. */
  readonly seed: number;
  /** How a room's gardener behaves. */
  readonly settings: (room: string) => GardenerSettings;
}

/** The gardeners of all open rooms. */
export class Gardeners implements Listener {
  readonly name = 'The gardener';
  private readonly gardeners = new Map<string, Gardener>();

  constructor(private readonly options: GardenersOptions) {}

  /** The gardener of a room, while it is open. */
  of(room: string): Gardener | undefined {
    return this.gardeners.get(room);
  }

  onRoomOpened({ room }: RoomOpened): void {
    const { roomServers, clock, seed, settings } = this.options;
    const roomServer = roomServers.get(room);
    if (!roomServer) return;
    const actor = roomServer.dispatcher.createSystemActor(DEFAULTS.attract.name, false);
    const gardener = new Gardener({
      room: roomServer.room,
      clock,
      random: createRandom(hashText(`${seed}/${room}/gardener`)),
      act: (act) => actor.act(act),
      // Outside the opening hours it rests, even while phones show the room.
      watched: () => roomServer.isWatched && !roomServer.policy.isDimmed,
      ...settings(room),
      isNew: roomServer.room.lastParticipant === 0 && roomServer.room.size === 0,
    });
    this.gardeners.set(room, gardener);
  }

  onRoomClosed({ room }: RoomClosed): void {
    this.gardeners.delete(room);
  }

  onJoined({ room }: Joined): void {
    this.gardeners.get(room)?.visitorActive();
  }

  onStirred({ room }: Stirred): void {
    this.gardeners.get(room)?.visitorActive();
  }

  onTick({ room }: Ticked): void {
    const gardener = this.gardeners.get(room);
    // Whoever draws or looks at the map finds the room as it was, and has it for a while.
    if (this.options.roomServers.get(room)?.isBusy) gardener?.visitorActive();
    gardener?.tick();
  }
}
