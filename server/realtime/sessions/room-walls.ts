/** The walls of a room: displays that are shown everything and take no participant's slot. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { EventQueue } from '../presence/event-queue.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import type { ParticipantSlots } from './participant-slots.ts';
import type { RoomClient } from './room-client.ts';
import { WallSlots } from './wall-slots.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

export interface RoomWallsOptions {
  readonly room: Room;
  readonly slots: ParticipantSlots<RoomClient>;
  readonly broadcaster: RoomBroadcaster;
  readonly eventQueue: EventQueue;
  readonly welcomeBuilder: WelcomeBuilder;
  readonly clock: Clock;
}

/** Welcomes walls, streams the room to them, and removes them. */
export class RoomWalls {
  private readonly walls = new WallSlots<RoomClient>(DEFAULTS.room.maxWalls);

  constructor(private readonly options: RoomWallsOptions) {}

  /** The connected walls. */
  get members(): Iterable<RoomClient> {
    return this.walls.members;
  }

  /** Number of connected walls. */
  get size(): number {
    return this.walls.size;
  }

  /** Whether a wall is connected from this address. */
  hasWallAt(address: string): boolean {
    return this.walls.hasWallAt(address);
  }

  /**
   * Welcomes a wall and streams the whole room to it.
   *
   * @param address address key of the wall
   * @param heldChecksums [chunks] checksums of what the wall still shows
   * @throws Refusal too-many-walls
   */
  addWall(wall: RoomClient, address: string, heldChecksums?: ArrayLike<number>): void {
    const evicted = this.walls.add(wall, address);
    if (evicted) {
      this.options.broadcaster.remove(evicted);
      evicted.disconnect('too-many-walls');
    }
    this.welcomeWall(wall, heldChecksums);
  }

  /** @returns whether the client was a wall */
  remove(client: RoomClient): boolean {
    const isWall = this.walls.remove(client);
    if (isWall) this.options.broadcaster.remove(client);
    return isWall;
  }

  /** Removes and disconnects all walls. */
  disconnectAll(reason: Reason): void {
    for (const wall of [...this.members]) {
      this.remove(wall);
      wall.disconnect(reason);
    }
  }

  /** Walls draw names into the picture, and only a new welcome changes those. */
  resendWallWelcomes(): void {
    for (const wall of this.members) {
      this.options.broadcaster.remove(wall);
      this.welcomeWall(wall);
    }
  }

  private welcomeWall(wall: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, slots, broadcaster, eventQueue, welcomeBuilder, clock } = this.options;
    welcomeBuilder.sendWallWelcome(wall, slots);
    eventQueue.startFor(wall);
    const viewport = fullViewport(room.grid.planes);
    broadcaster.add(wall, viewport, clock.now(), { tier: 'full', heldChecksums });
  }
}
