/**
 * Visitors of a view-only link. Like walls they see everything and may only watch, but they do not
 * compete with walls for places, and the host's bans and opening hours hold for them.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Applicant } from '../policy/bans.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import type { RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { WallSlots } from './room-walls.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** A connection that asks to watch. */
export interface SpectatorRequest {
  /** Address key of the connection. */
  readonly address: string;
  /** The device mark that the page has stored; not verified yet. */
  readonly deviceMark: string | undefined;
  /** [chunks] checksums of what the page still shows. */
  readonly heldChecksums: ArrayLike<number> | undefined;
}

/** The spectators of one room. */
export class Spectators {
  private readonly slots = new WallSlots<RoomClient>(DEFAULTS.room.maxSpectators, 'room-full');
  /** Whom a ban may mean. */
  private readonly known = new Map<RoomClient, Applicant>();

  constructor(
    private readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {}

  get size(): number {
    return this.slots.size;
  }

  get members(): Iterable<RoomClient> {
    return this.slots.members;
  }

  /**
   * Welcomes a spectator and streams the room to them. When there are as many as the room takes,
   * the newest of the address with most of them gives way, or the newcomer is refused.
   *
   * @throws Refusal room-closed, no-spectators, sent-away, room-full
   */
  add(client: RoomClient, { address, deviceMark, heldChecksums }: SpectatorRequest): void {
    const { policy, bans, room, newcomers } = this.context;
    if (policy.isClosed) throw new Refusal('room-closed');
    if (!policy.settings.spectators) throw new Refusal('no-spectators');
    const device = newcomers.deviceIdOf(deviceMark);
    const applicant = { participant: undefined, device, address };
    if (bans.isBanned(room.name, applicant)) throw new Refusal('sent-away');
    const evicted = this.slots.add(client, address);
    this.known.set(client, applicant);
    if (evicted) this.disconnect(evicted, 'gave-way');
    this.welcome(client, heldChecksums);
  }

  /** @returns whether the client was a spectator */
  remove(client: RoomClient): boolean {
    if (!this.slots.remove(client)) return false;
    this.known.delete(client);
    this.context.broadcaster.remove(client);
    return true;
  }

  /** Removes and disconnects those who are banned by now. */
  disconnectBanned(): void {
    const { bans, room } = this.context;
    for (const [client, applicant] of [...this.known]) {
      if (!bans.isBanned(room.name, applicant)) continue;
      this.slots.remove(client);
      this.disconnect(client, 'sent-away');
    }
  }

  /** Removes and disconnects all spectators. */
  disconnectAll(reason: Reason): void {
    for (const client of [...this.members]) {
      this.slots.remove(client);
      this.disconnect(client, reason);
    }
  }

  /** Sends every spectator the whole room again. */
  resendWelcomes(): void {
    for (const client of this.members) {
      this.context.broadcaster.remove(client);
      this.welcome(client);
    }
  }

  private disconnect(client: RoomClient, reason: Reason): void {
    this.known.delete(client);
    this.context.broadcaster.remove(client);
    client.disconnect(reason);
  }

  private welcome(client: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, broadcaster, eventQueue, clock } = this.context;
    this.welcomeBuilder.sendWallWelcome(client);
    eventQueue.startFor(client);
    broadcaster.add(client, fullViewport(room.grid.planes), clock.now(), { heldChecksums });
  }
}
