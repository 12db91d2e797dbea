/**
 * The seats of a room's participants: occupied seats, seats that are reserved for participants who
 * have just left, and the queue for seats. This module sends no messages and does not apply the
 * room's rules: see `RoomAdmission`. Start reading at `claim`.
 */
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import { FairQueue } from '../../platform/queues.ts';
import type { ResumeToken, ResumeTokens } from './signed-tokens.ts';

/** Limits for the seats of participants and for the queue; times are in ms. */
export const SEATS = {
  /** How long the seat of a participant stays reserved after they disconnect. */
  grace: 60_000,
  /** How long a room reserves the seats of its earlier participants after a restart. */
  back: 10_000,
  /** Idle time after which a participant may lose their seat to somebody in the queue. */
  idleYields: 120_000,
  /** Maximum number of pages in the queue for a seat. */
  maxWaiting: 1_000,
} as const;

interface Seat {
  you: ParticipantView;
  /** Token that resumes this seat at the next join. It is replaced at each join. */
  token: string;
  /** The previous token. It remains valid until the client confirms that it has the new token. */
  previousToken?: string | undefined;
  /** Address key of the connection (see `addressKey`); '' if unknown. */
  address: string;
  /** Id of the touch table's seat; undefined if the participant does not use a touch table. */
  table?: number | undefined;
  /** When the participant last did something, in ms. */
  activeAt: number;
  /** When the participant stops counting as drawing, choosing or reading something, in ms. */
  busyUntil: number;
  /**
   * Whether the participant gave up the seat to the queue. If so, the token does not let the
   * participant skip the queue.
   */
  yielded: boolean;
}

/** Counts the seats of each network address. */
export const countSeats = (seats: Iterable<Pick<Seat, 'address'>>): ReadonlyMap<string, number> =>
  countBy(seats, ({ address }) => address);

/**
 * Chooses the seat that must be given up to a waiting client: a seat that has been idle for long,
 * or a seat of an address that has at least two seats more than the client's address. Visitors of a
 * museum who share one address can use all seats while nobody else is waiting. The minimum
 * difference of two prevents seats from moving back and forth between addresses.
 *
 * @param seats all seats of a full room
 * @param waiting address key of the client that gets the seat
 * @returns the seat that has been idle longest, if it has been idle for at least `idleYields`;
 *   otherwise the longest idle seat of the address with the most seats; undefined if no seat must
 *   be given up
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

/** A client's request for a seat. */
interface Claim {
  /** Token to resume a seat. If it is unknown or no longer valid, the client gets a new seat. */
  readonly token?: string | undefined;
  /** Address key of the connection (see `addressKey`); '' if unknown. */
  readonly address: string;
  /** Id of the touch table's seat if the client is a ring (a person at the table). */
  readonly table?: number | undefined;
}

export interface SeatOptions {
  /** Maximum number of present participants. */
  readonly capacity: number;
  /** How long the seat of a participant stays reserved after they leave, in ms. */
  readonly grace: number;
  /** Maximum length of the queue. */
  readonly maxWaiting: number;
  /** Id that the first new participant gets. */
  readonly first: number;
  readonly tokens: Pick<ResumeTokens, 'issue' | 'read'>;
  /** Participants who were present when the server stopped. */
  readonly expected: {
    readonly participants: readonly ParticipantId[];
    /**
     * Time until which the seats of the expected participants count as occupied, so that newcomers
     * cannot take them, in ms.
     */
    readonly held: number;
    /**
     * When the reservations of the expected participants expire, in ms. Until then, these
     * participants can return even if the room is full.
     */
    readonly until: number;
  };
}

/**
 * How long a page can return to its position in the queue, counted from when it first joined the
 * queue, in ms.
 */
const PLACE_LASTS = 3_600_000;

/**
 * Gives seats and ids to participants, and lets participants resume their seats.
 *
 * @typeParam M type of a connection
 */
export class Seats<M> {
  private readonly occupied = new Map<M, Seat>();
  /**
   * For each reserved seat, when its reservation expires, in ms. The seats are in the order in
   * which their participants left.
   */
  private readonly reserved = new Map<Seat, number>();
  private readonly queue = new FairQueue<M>(this.options.maxWaiting);
  private readonly expected = new Set(this.options.expected.participants);
  /** Whether the seats of participants who are expected after a restart still count as occupied. */
  private isHeld = true;
  /** When the last client joined the queue, in ms since the epoch. */
  private lastQueued = 0;
  private nextParticipant = this.options.first;
  /** Maximum number of present participants. If the number is lowered, nobody has to leave. */
  capacity = this.options.capacity;

  constructor(private readonly options: SeatOptions) {}

  get size(): number {
    return this.occupied.size;
  }

  /**
   * Whether newcomers must wait, because all seats are occupied or held for participants from
   * before a restart.
   */
  get isFull(): boolean {
    const held = this.isHeld ? this.expected.size : 0;
    return this.counted.length + held >= this.capacity;
  }

  /**
   * Whether twice as many participants as the capacity are present. If so, even participants with a
   * reserved seat must wait.
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
   * @param table id of the table's seat
   */
  ringsOf(table: number): M[] {
    return [...this.occupied].flatMap(([member, seat]) => (seat.table === table ? [member] : []));
  }

  /**
   * Returns the id of the touch table's seat that a participant uses; undefined if they use none.
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

  /** Returns the connection of a participant; undefined if they are not present. */
  memberOf(participant: ParticipantId): M | undefined {
    for (const [member, { you }] of this.occupied) if (you.id === participant) return member;
    return undefined;
  }

  /**
   * Gives a connection a seat.
   *
   * @param newcomer creates a participant with a given id, for a new seat. The id is taken from the
   *   token if the token has expired; otherwise the id is new
   * @param now current time, in ms
   * @returns `you`: the participant. `isNew`: whether the room has no state of them. `replaced`:
   *   the connection that had this seat before, if any
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

  /** Invalidates the previous token of a client that has received its new token. */
  confirm(member: M): void {
    this.update(member, { previousToken: undefined });
  }

  /** Returns the participant that a token belongs to, even if the token has expired. */
  ownerOf(token: string): ParticipantId | undefined {
    return this.find(token)?.seat.you.id ?? (this.read(token).participant || undefined);
  }

  /** Returns a new participant id, for an actor that needs no seat. */
  newNumber(): ParticipantId {
    return this.nextParticipant++;
  }

  /** Returns whether a token resumes an occupied or reserved seat. */
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

  /** Sets until when a participant counts as busy. @param until ms; 0 if they are not busy */
  setBusy(member: M, until: number): void {
    this.update(member, { busyUntil: until });
  }

  isBusy(now: number): boolean {
    for (const { busyUntil } of this.occupied.values()) if (busyUntil > now) return true;
    return false;
  }

  /**
   * Returns the connection that must give up its seat to the queue (see `chooseYielding`).
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
   * Frees a seat and reserves it for a while.
   *
   * @param yielded whether the participant gives up the seat to the queue. If the room is full when
   *   such a participant returns, they must wait in the queue
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
   * Removes reservations that have expired.
   *
   * @returns ids of the participants who had reserved them
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
   * Adds a connection to the queue, which serves network addresses in turn. If the token belongs to
   * an earlier position in the queue, restores this position.
   *
   * @param date wall clock, in ms since the epoch
   * @returns the token of the position, and the connection that must leave if the queue was full.
   *   It may be the connection just added
   */
  enqueue(
    member: M,
    { token = '', address, date }: Claim & { readonly date: number },
  ): { token: string; dropped: M | undefined } {
    const earlier = this.read(token).since;
    // The wall clock may be set back, so never use a time before that of the previous client.
    this.lastQueued = Math.max(this.lastQueued, date);
    const since = earlier > Math.max(0, date - PLACE_LASTS) ? earlier : this.lastQueued;
    const place = this.options.tokens.issue({ participant: this.ownerOf(token) ?? 0, since });
    const found = this.find(token);
    // If the token belongs to a reserved seat, let the new token resume the seat, too. If the seat
    // is occupied instead, do not change its token.
    if (found && found.member === undefined) {
      Object.assign(found.seat, { token: place, previousToken: token });
    }
    return { token: place, dropped: this.queue.add(address, member, since) };
  }

  /** Removes a connection from the queue. @returns whether the connection was in the queue */
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
   * Returns the address from which the next client is admitted: among the addresses in the queue,
   * one with the fewest seats.
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
   * Returns the participant of an expired token; undefined if the participant is present or has a
   * reserved seat.
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
