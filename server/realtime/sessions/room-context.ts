/** Services and state that the parts of a room server share. */
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { Pace } from '../../world/ticker.ts';
import type { Bans } from '../policy/bans.ts';
import type { KeepItem, Moderation } from '../policy/moderation.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { WallSeats } from '../policy/wall-seats.ts';
import type { AffectedOrganisms } from '../presence/affected-organisms.ts';
import type { Cursors, EventQueue } from '../presence/events-and-cursors.ts';
import type { Follows } from '../presence/follows.ts';
import type { Visits } from '../presence/visits.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import type { NewcomerEnergy } from './newcomer-energy.ts';
import type { RoomClient, RoomHooks, RoomInfo, WallInfo } from './room-client.ts';
import type { Seats } from './seats.ts';

/**
 * Tracks whether a tick of a room is in progress. Until the tick ends, nobody is welcomed, because
 * the welcome message would contain changes that are not stored yet.
 */
export class TickInProgress {
  /** Resolves when the tick ends; undefined between ticks. */
  ended: Promise<void> | undefined;
  private resolve = (): void => {};

  begin(): void {
    this.end();
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** Ends the tick, even if the tick has failed. Does nothing between ticks. */
  end(): void {
    this.ended = undefined;
    this.resolve();
  }
}

/** Services and stored records that a room server needs. */
export interface RoomBasis {
  readonly room: Room;
  readonly info: RoomInfo;
  /**
   * URL of the page that links on keepsakes (pictures and films of organisms, which visitors take
   * home) open. If absent, these links open this server's own page.
   */
  readonly keepUrl?: string | undefined;
  /** Maximum number of spectators. Spectators do not count towards the room's capacity. */
  readonly maxSpectators: number;
  readonly pace: () => Pace;
  readonly clock: Clock;
  /** Returns the wall clock, in ms since the epoch. */
  readonly date: () => number;
  readonly policy: RoomPolicy;
  readonly bans: Pick<Bans, 'isBanned' | 'admitsUnmarked' | 'slow'>;
  readonly wallSeats: WallSeats;
  /** The moderation lists that were stored before the room was opened. */
  readonly kept: Moderation;
  readonly keep: KeepItem;
  readonly newcomers: NewcomerEnergy;
  readonly wallInfo: () => WallInfo;
}

/** Everything that the parts of a room server share. */
export interface RoomContext extends RoomBasis {
  readonly seats: Seats<RoomClient>;
  readonly visits: Visits;
  readonly affected: AffectedOrganisms;
  readonly broadcaster: RoomBroadcaster;
  readonly cursors: Cursors;
  readonly eventQueue: EventQueue;
  readonly follows: Follows;
  readonly tickInProgress: TickInProgress;
  readonly hooks: () => RoomHooks | undefined;
}
