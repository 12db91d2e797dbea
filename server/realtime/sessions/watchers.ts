/**
 * Connections that see the whole room and may only watch: walls (room-walls.ts), and visitors who
 * have a view-only link. They do not take participants' seats and never change the room.
 */
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { Applicant } from '../policy/bans.ts';
import { fullViewport, type StreamStart } from '../streaming/viewer-stream.ts';
import type { Entry, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Default of `--max-spectators`. */
const MAX_SPECTATORS = 200;

/** The seat of a watcher. */
export interface WatcherSeat {
  /** Address key of the connection. */
  readonly address: string;
  /** Id of the seat that the host has reserved for this wall; undefined if there is none. */
  readonly place?: number | undefined;
  /** Session of a table's page: see `Command<'join'>`. */
  readonly session?: number | undefined;
}

/**
 * Returns the site of an address. The IPv6 networks of one customer have the first 48 bits in
 * common, so they count as one site.
 */
const siteOf = ({ address }: WatcherSeat): string =>
  address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * Gives a newcomer a seat. If all seats are taken, the newest watcher of the site with the most
 * watchers must leave, so that no single site can keep out the venue's own wall. A wall with a
 * reserved seat always replaces a watcher without one. It is itself replaced only by another wall
 * with a reserved seat.
 *
 * @param seats all seats, newest last
 * @param most maximum number of seats
 * @param full reason to give if the newcomer is refused
 * @returns the watcher that must leave, if any
 * @throws Refusal `full` if the newcomer may not replace anybody
 */
export function takeSeat<M>(
  seats: Map<M, WatcherSeat>,
  newcomer: M,
  seat: WatcherSeat,
  { most, full }: { readonly most: number; readonly full: Reason },
): M | undefined {
  const leaving = seats.size < most ? undefined : evictedFor(seats, seat);
  if (seats.size >= most && leaving === undefined) throw new Refusal(full);
  seats.set(newcomer, seat);
  return leaving;
}

function evictedFor<M>(seats: ReadonlyMap<M, WatcherSeat>, newcomer: WatcherSeat): M | undefined {
  const guests = [...seats].filter(([, { place }]) => place === undefined);
  if (newcomer.place === undefined) return newestOfLargest(guests, siteOf, siteOf(newcomer));
  if (guests.length > 0) return newestOfLargest(guests, siteOf);
  // All seats are taken by walls that have reserved one. Several screens may use the reservation of
  // one wall, so replace a screen of the wall that has the most screens.
  return newestOfLargest([...seats], ({ place }) => place, newcomer.place);
}

/**
 * Returns the newest member of the largest group.
 *
 * @param own the newcomer's group, which must remain smaller than the largest group
 * @returns undefined if the newcomer's group would not remain smaller
 */
function newestOfLargest<M, K>(
  seats: readonly [M, WatcherSeat][],
  groupOf: (seat: WatcherSeat) => K,
  own?: K,
): M | undefined {
  const groups = new Map<K, M[]>();
  for (const [member, seat] of seats) getOrAdd(groups, groupOf(seat), () => []).push(member);
  const [largest = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  const least = own === undefined ? 0 : (groups.get(own)?.length ?? 0) + 1;
  return largest.length > least ? largest[largest.length - 1] : undefined;
}

/** Welcomes watchers of one type, streams the room to them, and removes them. */
export class Watchers {
  protected readonly seats = new Map<RoomClient, WatcherSeat>();

  constructor(
    protected readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
    private readonly kind: {
      readonly most: number;
      /** Reason for refusing a newcomer. */
      readonly full: Reason;
      /** Reason for removing a watcher in favour of a newcomer. */
      readonly evicted: Reason;
      readonly tier?: StreamStart['tier'];
    },
  ) {}

  get size(): number {
    return this.seats.size;
  }

  get members(): Iterable<RoomClient> {
    return this.seats.keys();
  }

  /** @returns whether the client was one of these watchers */
  remove(client: RoomClient): boolean {
    if (!this.seats.delete(client)) return false;
    this.context.broadcaster.remove(client);
    return true;
  }

  disconnectAll(reason: Reason): void {
    for (const client of [...this.members]) this.dismiss(client, reason);
  }

  /** Sends the whole room to each watcher again. */
  resendWelcomes(): void {
    for (const client of this.members) {
      this.context.broadcaster.remove(client);
      this.welcome(client);
    }
  }

  /** Gives a watcher a seat. @throws Refusal if the newcomer may not replace anybody */
  protected seat(client: RoomClient, seat: WatcherSeat): void {
    const leaving = takeSeat(this.seats, client, seat, this.kind);
    if (leaving) this.dismiss(leaving, this.kind.evicted);
  }

  protected dismiss(client: RoomClient, reason: Reason): void {
    this.remove(client);
    client.disconnect(reason);
  }

  protected welcome(client: RoomClient, holds?: Uint8Array): void {
    const { room, broadcaster, clock } = this.context;
    this.welcomeBuilder.sendWallWelcome(client);
    const { tier } = this.kind;
    broadcaster.add(client, fullViewport(room.grid.planes), clock.now(), { tier, holds });
  }
}

/** Visitors who have a view-only link. The host's bans and opening hours apply to them, too. */
export class Spectators extends Watchers {
  /** What is known about each spectator, for checking the bans. */
  private readonly applicants = new WeakMap<RoomClient, Applicant>();

  constructor(context: RoomContext, welcomeBuilder: WelcomeBuilder) {
    super(context, welcomeBuilder, {
      most: context.maxSpectators ?? MAX_SPECTATORS,
      full: 'too-many-spectators',
      evicted: 'gave-way',
    });
  }

  /**
   * Welcomes a spectator and streams the room to them. If there are too many spectators, the newest
   * spectator of the address with the most spectators must leave. If the newcomer may not replace
   * anybody, they are refused.
   *
   * @throws Refusal room-closed, no-spectators, sent-away, too-many-spectators
   */
  add(client: RoomClient, { mark, holds }: Entry): void {
    const { policy, bans, room, newcomers } = this.context;
    const { address } = client;
    if (policy.isClosed) throw new Refusal('room-closed');
    if (!policy.settings.spectators) throw new Refusal('no-spectators');
    const applicant = { participant: undefined, device: newcomers.deviceIdOf(mark), address };
    if (bans.isBanned(room.name, applicant)) throw new Refusal('sent-away');
    this.seat(client, { address });
    this.applicants.set(client, applicant);
    this.welcome(client, holds);
  }

  /** Removes and disconnects all spectators who have been banned. */
  disconnectBanned(): void {
    const { bans, room } = this.context;
    for (const client of [...this.members]) {
      const isBanned = bans.isBanned(room.name, this.applicants.get(client)!);
      if (isBanned) this.dismiss(client, 'sent-away');
    }
  }
}
