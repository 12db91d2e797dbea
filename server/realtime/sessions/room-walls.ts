/** The walls of a room: displays that are shown everything and take no participant's slot. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import type { RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { WallSlots } from './wall-slots.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Welcomes walls, streams the room to them, and removes them. */
export class RoomWalls extends WallSlots<RoomClient> {
  constructor(
    private readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {
    super(DEFAULTS.room.maxWalls);
  }

  /**
   * Welcomes a wall and streams the whole room to it.
   *
   * @param address address key of the wall
   * @param heldChecksums [chunks] checksums of what the wall still shows
   * @throws Refusal too-many-walls
   */
  addWall(wall: RoomClient, address: string, heldChecksums?: ArrayLike<number>): void {
    const evicted = this.add(wall, address);
    if (evicted) {
      this.context.broadcaster.remove(evicted);
      evicted.disconnect('too-many-walls');
    }
    this.welcomeWall(wall, heldChecksums);
  }

  /** @returns whether the client was a wall */
  override remove(client: RoomClient): boolean {
    const isWall = super.remove(client);
    if (isWall) this.context.broadcaster.remove(client);
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
      this.context.broadcaster.remove(wall);
      this.welcomeWall(wall);
    }
  }

  private welcomeWall(wall: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, broadcaster, eventQueue, clock } = this.context;
    this.welcomeBuilder.sendWallWelcome(wall);
    eventQueue.startFor(wall);
    const viewport = fullViewport(room.grid.planes);
    broadcaster.add(wall, viewport, clock.now(), { tier: 'full', heldChecksums });
  }
}
