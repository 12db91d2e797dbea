/**
 * Connections that watch the whole room without taking part: spectators, walls and touch tables.
 * The people at a touch table join as separate clients (rings). Start reading at `Watchers`.
 */
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { Applicant } from '../policy/bans.ts';
import { fullViewport, type StreamStart } from '../streaming/viewer-stream.ts';
import type { WelcomeBuilder } from './room-admission.ts';
import type { Entry, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';

/** The seat of a watcher: a wall, a touch table or a spectator. */
export interface WatcherSeat {
  readonly address: string;
  /** Id of the reserved seat that the wall or table uses, if any. */
  readonly place?: number | undefined;
  /** Identifies a spectator when bans are checked; absent for walls. */
  readonly applicant?: Applicant;
}

/**
 * Returns a watcher's site: the part of its network address that is the same for all connections of
 * one customer of an internet provider. For IPv6, the site is the first 48 bits.
 */
const siteOf = ({ address }: WatcherSeat): string =>
  address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * Gives a new watcher a seat. If all seats are taken, finds the site (see `siteOf`) with the most
 * watchers, and the newest watcher of this site must leave. Watchers with a reserved seat leave
 * only for newcomers with a reserved seat.
 *
 * @param seats all taken seats, newest last
 * @param most maximum number of seats
 * @param full reason for refusing a newcomer
 * @returns the watcher that must leave, if any
 * @throws Refusal with the reason `full` if no seat can be made free
 */
export function takeSeat<M, S extends WatcherSeat>(
  seats: Map<M, S>,
  newcomer: M,
  seat: S,
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
  // All watchers are screens with a reserved seat, which several screens may share. Replace the
  // newest screen of the reserved seat that has the most screens.
  return newestOfLargest([...seats], ({ place }) => place, newcomer.place);
}

/**
 * Returns the newest member of the largest group of watchers, to make space for a newcomer.
 *
 * @param own the newcomer's group. If absent, the size of the newcomer's group does not matter
 * @returns undefined if `own` is given, and no group is larger than this group would be with the
 *   newcomer
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

/** Manages all watchers of one type, either walls or spectators. */
export class Watchers<S extends WatcherSeat = WatcherSeat> {
  protected readonly seats = new Map<RoomClient, S>();

  constructor(
    protected readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
    private readonly kind: {
      readonly most: number;
      /** Reason for refusing a newcomer if all seats are taken. */
      readonly full: Reason;
      /** Reason for disconnecting a watcher in favour of a newcomer. */
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

  /** Removes a client. @returns whether the client was a watcher of this type */
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

  /** Sends the whole room to a client again, if the client is one of these watchers. */
  welcomeAgain(client: RoomClient): void {
    if (this.seats.has(client)) this.welcome(client);
  }

  /**
   * Gives a watcher a seat. Another watcher may have to leave (see `takeSeat`).
   *
   * @throws Refusal if no seat can be made free
   */
  protected seat(client: RoomClient, seat: S): void {
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

/** Visitors with a view-only link. Bans and opening hours apply to spectators, too. */
export class Spectators extends Watchers {
  constructor(context: RoomContext, welcomeBuilder: WelcomeBuilder) {
    super(context, welcomeBuilder, {
      most: context.maxSpectators,
      full: 'too-many-spectators',
      evicted: 'gave-way',
    });
  }

  /**
   * Welcomes a spectator and sends them the frames of the room.
   *
   * @throws Refusal `room-closed`, `no-spectators`, `too-many-spectators`; `sent-away` if the
   *   client is banned
   */
  add(client: RoomClient, { mark, holds }: Entry): void {
    const { policy, bans, room, newcomers } = this.context;
    const { address } = client;
    if (policy.isClosed) throw new Refusal('room-closed');
    if (!policy.settings.spectators) throw new Refusal('no-spectators');
    const applicant = { participant: undefined, device: newcomers.deviceIdOf(mark), address };
    if (bans.isBanned(room.name, applicant)) throw new Refusal('sent-away');
    this.seat(client, { address, applicant });
    this.welcome(client, holds);
  }

  disconnectBanned(): void {
    const { bans, room } = this.context;
    for (const [client, { applicant }] of [...this.seats]) {
      if (bans.isBanned(room.name, applicant!)) this.dismiss(client, 'sent-away');
    }
  }
}
