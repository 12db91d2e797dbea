/**
 * The seats of a room: occupied seats, seats reserved for participants who have just left, and the
 * queue. Sends no messages, and does not apply the room's rules (see `RoomAdmission`). Start
 * reading at `claim`.
 */
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import { FairQueue } from '../../platform/queues.ts';
import type { ResumeToken, ResumeTokens } from './signed-tokens.ts';

/** Limits for the seats of participants and for the queue; times are in ms. */
export const SEATS = {
  /** How long a seat stays reserved after its participant disconnects, in ms. */
  grace: 60_000,
  /**
   * How long after a restart seats are kept free for the participants who were present before the
   * restart, in ms.
   */
  back: 10_000,
  /**
   * How long a participant must be idle before they may lose their seat to somebody in the queue,
   * in ms.
   */
  idleYields: 120_000,
  /**
   * Maximum number of seats that are taken from participants in one tick and given to clients in
   * the queue.
   */
  maxYielding: 16,
  /**
   * How long a visitor counts as busy after the last `busy` message, in ms. Pages send this message
   * while a panel is in use.
   */
  busy: 180_000,
  /** Maximum number of pages in the queue for a seat. */
  maxWaiting: 1_000,
} as const;

interface Seat {
  you: ParticipantView;
  /** Token with which the participant can resume this seat. Each join replaces the token. */
  token: string;
  /**
   * Previous token of this seat. Stays valid until the client confirms that it has received
   * `token`.
   */
  previousToken?: string | undefined;
  /** Address key of the connection (see `addressKey`); '' if unknown. */
  address: string;
  /** Id of the touch table's reserved seat, if the participant uses a touch table. */
  table?: number | undefined;
  /** When the participant last did something, in ms. */
  activeAt: number;
  /** Until when the participant counts as drawing, choosing or reading something, in ms. */
  busyUntil: number;
  /**
   * Whether the seat was given up to somebody in the queue. If true and the room is full, the
   * participant must wait in the queue, even with a valid token for this seat.
   */
  yielded: boolean;
}

/** Counts the seats of each network address. */
export const countSeats = (seats: Iterable<Pick<Seat, 'address'>>): ReadonlyMap<string, number> =>
  countBy(seats, ({ address }) => address);

/**
 * Chooses the seat that must be given up to a client in the queue. If some seats have been idle for
 * at least `idleYields`, chooses the longest idle seat. Otherwise, if one network address has at
 * least two seats more than the client's address, chooses the longest idle seat of the address with
 * the most seats. A difference of one is not enough, because two addresses would then take the same
 * seat from each other in turn.
 *
 * @param seats all seats of a full room
 * @param waiting address key of the client that gets the seat
 * @returns undefined if no seat must be given up
 */
export function chooseYielding<S extends Pick<Seat, 'address' | 'activeAt'>>(
  seats: readonly S[],
  waiting: string,
  now: number,
): S | undefined {
  const longestIdle = (some: readonly S[]): S | undefined =>
    some.reduce<S | undefined>((a, b) => (a && a.activeAt <= b.activeAt ? a : b), undefined);
  const idle = longestIdle(seats);
  if (idle && now - idle.activeAt >= SEATS.idleYields) return idle;
  const counts = countSeats(seats);
  const most = Math.max(0, ...counts.values());
  if (most < 2 + (counts.get(waiting) ?? 0)) return undefined;
  return longestIdle(seats.filter(({ address }) => counts.get(address) === most));
}

interface Claim {
  /** Token of the seat to resume. With an unknown or expired token, the client gets a new seat. */
  readonly token?: string | undefined;
  /** Address key of the connection (see `addressKey`); '' if unknown. */
  readonly address: string;
  /** If the participant is a person at a touch table: id of the table's reserved seat. */
  readonly table?: number | undefined;
}

export interface SeatOptions {
  /** Maximum number of present participants. */
  readonly capacity: number;
  /** How long a seat stays reserved after its participant leaves, in ms. */
  readonly grace: number;
  /** Maximum length of the queue. */
  readonly maxWaiting: number;
  /** Id of the first new participant. */
  readonly first: number;
  readonly tokens: Pick<ResumeTokens, 'issue' | 'read'>;
  /** Participants who were present when the server stopped. */
  readonly expected: {
    readonly participants: readonly ParticipantId[];
    /** Time until which newcomers cannot take the seats of the expected participants, in ms. */
    readonly held: number;
    /**
     * Time until which an expected participant can return to a full room, in ms. After this time,
     * the participant is forgotten.
     */
    readonly until: number;
  };
}

/**
 * Time, in ms, within which a page can return to its position in the queue, counted from when the
 * page first joined the queue.
 */
const PLACE_LASTS = 3_600_000;

/**
 * Gives seats and ids to participants. Participants who return can resume their seats.
 *
 * @typeParam M type of a connection
 */
export class Seats<M> {
  private readonly occupied = new Map<M, Seat>();
  /** When the reservation of each reserved seat expires, in ms; earliest first. */
  private readonly reserved = new Map<Seat, number>();
  private readonly queue = new FairQueue<M>(this.options.maxWaiting);
  private readonly expected = new Set(this.options.expected.participants);
  /** Whether seats are still kept free for participants who were present before a restart. */
  private isHeld = true;
  /** When the last client joined the queue, in ms since the epoch. */
  private lastQueued = 0;
  private nextParticipant = this.options.first;
  /** Maximum number of present participants. Lowering the maximum makes nobody leave. */
  capacity = this.options.capacity;

  constructor(private readonly options: SeatOptions) {}

  get size(): number {
    return this.occupied.size;
  }

  /**
   * Whether newcomers must wait in the queue. Seats that are kept free for participants from before
   * a restart count as occupied.
   */
  get isFull(): boolean {
    const held = this.isHeld ? this.expected.size : 0;
    return this.counted.length + held >= this.capacity;
  }

  /**
   * Whether the number of present participants is at least twice the capacity. If true, even
   * participants with a reserved seat must wait in the queue.
   */
  get isCrowded(): boolean {
    return this.counted.length >= 2 * this.capacity;
  }

  /**
   * Occupied seats that count towards the capacity. Seats of people at touch tables do not count.
   */
  private get counted(): [M, Seat][] {
    return [...this.occupied].filter(([, { table }]) => table === undefined);
  }

  /**
   * Returns the connections of all rings (people) at a touch table.
   *
   * @param table id of the table's reserved seat
   */
  ringsOf(table: number): M[] {
    return [...this.occupied].flatMap(([member, seat]) => (seat.table === table ? [member] : []));
  }

  /**
   * If a participant uses a touch table, returns the id of the table's reserved seat; otherwise
   * undefined.
   */
  tableOf(participant: ParticipantId): number | undefined {
    for (const { you, table } of this.occupied.values()) if (you.id === participant) return table;
    return undefined;
  }

  get members(): Iterable<M> {
    return this.occupied.keys();
  }

  get participants(): ParticipantView[] {
    return [...this.occupied.values()].map(({ you }) => you);
  }

  /** Returns the participant of a connection; undefined if the connection has no seat. */
  participantOf(member: M): ParticipantView | undefined {
    return this.occupied.get(member)?.you;
  }

  /** Returns the current resume token of a connection; undefined if the connection has no seat. */
  tokenOf(member: M): string | undefined {
    return this.occupied.get(member)?.token;
  }

  /** Returns the connection of a participant; undefined if the participant is not present. */
  memberOf(participant: ParticipantId): M | undefined {
    for (const [member, { you }] of this.occupied) if (you.id === participant) return member;
    return undefined;
  }

  /**
   * Gives a connection a seat.
   *
   * @param newcomer creates a participant with the given id: the id of the former participant to
   *   whom the token belongs, or a new id if there is none
   * @param now current time, in ms
   * @returns `you`: the participant. `isNew`: whether the participant is new to the room, or has
   *   been forgotten. `replaced`: the connection that loses its seat to this one, if any
   */
  claim(
    member: M,
    {
      token = '',
      address,
      table,
      now,
      newcomer,
    }: Claim & { readonly now: number; readonly newcomer: (id: ParticipantId) => ParticipantView },
  ): { you: ParticipantView; isNew: boolean; replaced?: M } {
    const old = this.find(token);
    const returned = old ? undefined : this.returning(token);
    const seat: Seat = {
      ...{ address, table, activeAt: now, busyUntil: 0, yielded: false },
      you: old?.seat.you ?? newcomer(returned ?? this.nextParticipant++),
      previousToken: old || returned !== undefined ? token : undefined,
      token: '',
    };
    seat.token = this.options.tokens.issue({ participant: seat.you.id, since: 0 });
    const resumes = old !== undefined || this.expected.delete(seat.you.id);
    if (old?.member !== undefined) this.occupied.delete(old.member);
    if (old) this.reserved.delete(old.seat);
    this.occupied.set(member, seat);
    const replaced = old?.member !== undefined && { replaced: old.member };
    return { you: seat.you, isNew: !resumes, ...replaced };
  }

  /**
   * Makes a client's previous token invalid. Call when the client confirms that it has received the
   * new token.
   */
  confirm(member: M): void {
    this.update(member, { previousToken: undefined });
  }

  /**
   * Returns the participant to whom a token belongs, even if the token has expired; undefined if
   * the token belongs to nobody.
   */
  ownerOf(token: string): ParticipantId | undefined {
    return this.find(token)?.seat.you.id ?? (this.read(token).participant || undefined);
  }

  /** Returns a new participant id for an actor without a seat, such as the gardener. */
  newNumber(): ParticipantId {
    return this.nextParticipant++;
  }

  /**
   * Returns whether a token lets a participant return to a full room, because their seat is still
   * kept.
   */
  holdsSeatFor(token: string): boolean {
    const found = this.find(token);
    if (found) return !found.seat.yielded;
    const returned = this.returning(token);
    return returned !== undefined && this.expected.has(returned) && this.read(token).since === 0;
  }

  /** Renames a present participant. @returns the participant with the new name */
  rename(member: M, name: string): ParticipantView {
    const you = { ...this.occupied.get(member)!.you, name };
    this.update(member, { you });
    return you;
  }

  /** Records that the participant of a connection has done something. */
  touch(member: M, now: number): void {
    this.update(member, { activeAt: now });
  }

  /** Sets until when a participant counts as busy. @param until in ms; 0 if they are not busy */
  setBusy(member: M, until: number): void {
    this.update(member, { busyUntil: until });
  }

  isBusy(now: number): boolean {
    for (const { busyUntil } of this.occupied.values()) if (busyUntil > now) return true;
    return false;
  }

  /**
   * Returns the connection whose participant must give up the seat to a client in the queue (see
   * `chooseYielding`).
   *
   * @returns undefined if nobody must give up a seat
   */
  yielding(now: number): M | undefined {
    const { counted } = this;
    if (this.queue.size === 0 || counted.length < this.capacity) return undefined;
    const seats = counted.map(([member, seat]) => ({ member, ...seat }));
    return chooseYielding(seats, this.nextAddress()!, now)?.member;
  }

  /**
   * Frees the seat of a connection, and reserves it for its participant for a while.
   *
   * @param yielded whether the seat is given up to somebody in the queue. If true, the participant
   *   must wait in the queue when they return to a full room
   * @returns the participant; undefined if the connection had no seat
   */
  leave(member: M, now: number, yielded = false): ParticipantView | undefined {
    const seat = this.occupied.get(member);
    if (!seat) return undefined;
    this.occupied.delete(member);
    seat.yielded = yielded;
    this.reserved.set(seat, now + this.options.grace);
    return seat.you;
  }

  /**
   * Removes expired reservations.
   *
   * @returns ids of the participants whose reservations were removed
   */
  expire(now: number): ParticipantId[] {
    const { held, until: expectedUntil } = this.options.expected;
    const expired: ParticipantId[] = [];
    this.isHeld &&= now < held;
    for (const [seat, until] of this.reserved) {
      if (until > now) break;
      this.reserved.delete(seat);
      expired.push(seat.you.id);
    }
    if (this.expected.size > 0 && expectedUntil <= now) {
      expired.push(...this.expected);
      this.expected.clear();
    }
    return expired;
  }

  /**
   * Adds a connection to the queue. If `token` belongs to an earlier position in the queue, the
   * connection returns to this position. Connections with the same network address are served in
   * the order in which they joined.
   *
   * @param date wall clock, in ms since the epoch
   * @returns `token`: a new token for the position. `dropped`: if the queue is too long, the
   *   connection that must leave the queue, which may be the new connection
   */
  enqueue(
    member: M,
    { token = '', address, date }: Claim & { readonly date: number },
  ): { token: string; dropped: M | undefined } {
    const earlier = this.read(token).since;
    // The times of joining must not decrease. If the wall clock was set back, use the time at which
    // the previous client joined the queue.
    this.lastQueued = Math.max(this.lastQueued, date);
    const since = earlier > Math.max(0, date - PLACE_LASTS) ? earlier : this.lastQueued;
    const place = this.options.tokens.issue({ participant: this.ownerOf(token) ?? 0, since });
    const found = this.find(token);
    // If `token` belongs to a reserved seat, let the new token resume this seat, too. If the seat
    // is occupied, keep the seat's token, because the present user of the seat needs it.
    if (found && found.member === undefined) {
      Object.assign(found.seat, { token: place, previousToken: token });
    }
    return { token: place, dropped: this.queue.add(address, member, since) };
  }

  /** Removes a connection from the queue. @returns false if it was not in the queue */
  leaveQueue(member: M): boolean {
    return this.queue.delete(member);
  }

  /** If a seat is free, removes the next connection from the queue and returns it. */
  dequeue(): M | undefined {
    const next = this.isFull ? undefined : this.nextAddress();
    return next === undefined ? undefined : this.queue.takeOf(next);
  }

  get queued(): readonly M[] {
    return this.queue.entries(this.seatsOf());
  }

  get waiting(): number {
    return this.queue.size;
  }

  /**
   * Returns the network address whose first client in the queue is admitted next. It is one of the
   * waiting addresses that have the fewest seats.
   */
  private nextAddress(): string | undefined {
    return this.queue.next(this.seatsOf());
  }

  private seatsOf(): (address: string) => number {
    const counts = countSeats(this.occupied.values());
    return (address) => counts.get(address) ?? 0;
  }

  private update(member: M, change: Partial<Seat>): void {
    const seat = this.occupied.get(member);
    if (seat) Object.assign(seat, change);
  }

  /**
   * Returns the former participant to whom a token belongs; undefined if the participant still has
   * a seat (occupied or reserved) or is unknown.
   */
  private returning(token: string): ParticipantId | undefined {
    const id = this.read(token).participant;
    if (id === 0 || id >= this.nextParticipant) return undefined;
    const seats = [...this.occupied.values(), ...this.reserved.keys()];
    return seats.some(({ you }) => you.id === id) ? undefined : id;
  }

  private read(token: string): ResumeToken {
    return this.options.tokens.read(token) ?? { participant: 0, since: 0 };
  }

  private find(token: string): { seat: Seat; member?: M } | undefined {
    const fits = (seat: Seat): boolean =>
      token !== '' && (seat.token === token || seat.previousToken === token);
    for (const seat of this.reserved.keys()) if (fits(seat)) return { seat };
    for (const [member, seat] of this.occupied) if (fits(seat)) return { seat, member };
    return undefined;
  }
}
