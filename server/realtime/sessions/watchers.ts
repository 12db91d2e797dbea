/**
 * Connections that see everything and may only watch: walls (room-walls.ts) and the visitors of a
 * view-only link. They take no participant's seat and never change the room.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { Applicant } from '../policy/bans.ts';
import { fullViewport, type StreamStart } from '../streaming/viewer-stream.ts';
import type { Entry, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Where a watcher is. */
export interface WatcherSeat {
  /** Address key. */
  readonly address: string;
  /** Id of the wall's own place; undefined: it has none. */
  readonly place?: number | undefined;
}

/** IPv6 networks of one customer share their first 48 bits. */
const siteOf = ({ address }: WatcherSeat): string =>
  address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * Gives a newcomer a seat. If all are taken, the newest watcher of the site with the most of them
 * gives way, so that no single site can keep the venue's own wall out. A wall with a place of its own
 * always replaces one without, and gives way only to another one with a place.
 *
 * @param seats all seats, the newest last
 * @param most maximum number of seats
 * @param full why a newcomer is refused
 * @returns who has to leave for it
 * @throws Refusal `full` if the newcomer may replace nobody
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
  // Screens of one wall may share its place.
  return newestOfLargest([...seats], ({ place }) => place, newcomer.place);
}

/**
 * The newest member of the largest group.
 *
 * @param own the newcomer's group, which must remain smaller than the other
 * @returns undefined if it would not
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

/** Welcomes watchers of one kind, streams the room to them, and removes them. */
export class Watchers {
  protected readonly seats = new Map<RoomClient, WatcherSeat>();

  constructor(
    protected readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
    private readonly kind: {
      readonly most: number;
      /** Why a newcomer is refused. */
      readonly full: Reason;
      /** Why a watcher gives way. */
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

  /** @returns whether the client was one of them */
  remove(client: RoomClient): boolean {
    if (!this.seats.delete(client)) return false;
    this.context.broadcaster.remove(client);
    return true;
  }

  /** Removes and disconnects all of them. */
  disconnectAll(reason: Reason): void {
    for (const client of [...this.members]) this.dismiss(client, reason);
  }

  /** Sends each of them the whole room again. */
  resendWelcomes(): void {
    for (const client of this.members) {
      this.context.broadcaster.remove(client);
      this.welcome(client);
    }
  }

  /** @throws Refusal the newcomer may replace nobody */
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

/** The visitors of a view-only link. The host's bans and opening hours hold for them. */
export class Spectators extends Watchers {
  /** Identity of each spectator, for the bans. */
  private readonly applicants = new WeakMap<RoomClient, Applicant>();

  constructor(context: RoomContext, welcomeBuilder: WelcomeBuilder) {
    const most = DEFAULTS.room.maxSpectators;
    super(context, welcomeBuilder, { most, full: 'room-full', evicted: 'gave-way' });
  }

  /**
   * Welcomes a spectator and streams the room to them. If the room is full of them, the newest of the
   * address with the most gives way, or the newcomer is refused.
   *
   * @throws Refusal room-closed, no-spectators, sent-away, room-full
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

  /** Removes and disconnects all who are banned by now. */
  disconnectBanned(): void {
    const { bans, room } = this.context;
    for (const client of [...this.members]) {
      const isBanned = bans.isBanned(room.name, this.applicants.get(client)!);
      if (isBanned) this.dismiss(client, 'sent-away');
    }
  }
}
