/**
 * The slots of a room: occupied ones, ones reserved for participants who just left, and the queue.
 */
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { FairQueue } from '../../platform/queues.ts';
import type { ResumeToken, ResumeTokens } from './signed-tokens.ts';
import { chooseYielding, countSlots } from './yielding.ts';

interface Slot {
  you: ParticipantView;
  /** Resumes this slot at the next join; replaced at each join. */
  token: string;
  /**
   * The token of the last join. It stays valid until the client confirms that it has the new one.
   */
  previousToken?: string | undefined;
  /** Address key of the connection; '' if unknown. */
  address: string;
  /** When the participant last did something, ms. */
  activeAt: number;
  /** Whether the participant gave it up for somebody who waited: it does not let them pass. */
  yielded?: boolean;
}

/** A request for a slot. */
export interface Claim {
  /** Resumes a slot; an unknown or superseded token gives a new one. */
  readonly token?: string | undefined;
  /** Address key of the connection; '' if unknown. */
  readonly address: string;
  /** ms */
  readonly now: number;
  /** Makes the participant of a new slot; an expired token still restores the number. */
  readonly newcomer: (id: number) => ParticipantView;
}

export interface SlotOptions {
  /** Participants that may be present at once. */
  readonly capacity: number;
  /** How long the slot of a participant who left stays reserved, ms. */
  readonly grace: number;
  /** Longest queue. */
  readonly maxWaiting: number;
  /** Number of the first participant; 1 by default. */
  readonly first?: number;
  readonly tokens: Pick<ResumeTokens, 'issue' | 'read'>;
  /** Participants present when the server stopped. */
  readonly expected?: {
    readonly participants: readonly ParticipantId[];
    /** Until then, ms, nobody else gets their slots. */
    readonly held: number;
    /** Until then, ms, their slots stay reserved. */
    readonly until: number;
  };
}

/** A page that comes back gets its place in line if it has waited for less than this time, ms. */
const PLACE_LASTS = 3_600_000;

/**
 * Gives participants slots and numbers, and lets them resume.
 *
 * @typeParam M a connection
 */
export class ParticipantSlots<M> {
  private readonly occupied = new Map<M, Slot>();
  /** Until when each counts as drawing, choosing or reading something, ms. */
  private readonly busy = new Map<M, number>();
  /** Until when each is reserved, ms; in the order of leaving. */
  private readonly reserved = new Map<Slot, number>();
  private readonly queue: FairQueue<M>;
  private readonly expected: Set<ParticipantId>;
  /** Whether the slots of expected participants count as occupied. */
  private isHeld: boolean;
  /** When the last one got in line, ms since the epoch. */
  private lastQueued = 0;
  private nextParticipant: number;
  /** Participants that may be present at once. If it is lowered, nobody has to leave. */
  capacity: number;

  constructor(private readonly options: SlotOptions) {
    this.nextParticipant = options.first ?? 1;
    this.capacity = options.capacity;
    this.queue = new FairQueue(options.maxWaiting);
    this.expected = new Set(options.expected?.participants);
    this.isHeld = options.expected !== undefined;
  }

  /** Number of present participants. */
  get size(): number {
    return this.occupied.size;
  }

  /** Whether newcomers have to wait. */
  get isFull(): boolean {
    const held = this.isHeld ? this.expected.size : 0;
    return this.occupied.size + held >= this.capacity;
  }

  /**
   * Whether even participants with a reserved slot have to wait: the room has twice its capacity.
   */
  get isCrowded(): boolean {
    return this.occupied.size >= 2 * this.capacity;
  }

  /** The connections of the present participants. */
  get members(): Iterable<M> {
    return this.occupied.keys();
  }

  /** The present participants. */
  get participants(): ParticipantView[] {
    return [...this.occupied.values()].map(({ you }) => you);
  }

  /** The participant of a connection; undefined without a slot. */
  participantOf(member: M): ParticipantView | undefined {
    return this.occupied.get(member)?.you;
  }

  /** The current resume token of a connection; undefined without a slot. */
  tokenOf(member: M): string | undefined {
    return this.occupied.get(member)?.token;
  }

  /** The connection of a participant; undefined if not present. */
  memberOf(participant: number): M | undefined {
    for (const [member, { you }] of this.occupied) if (you.id === participant) return member;
    return undefined;
  }

  /**
   * Gives a connection a slot.
   *
   * @returns the participant, whether their state in the room is new, and the replaced connection
   */
  claim(
    member: M,
    { token, address, now, newcomer }: Claim,
  ): { you: ParticipantView; isNew: boolean; replaced?: M } {
    const old = token === undefined ? undefined : this.find(token);
    const returned = old || token === undefined ? undefined : this.returning(token);
    const slot: Slot = old?.slot ?? {
      ...{ you: newcomer(returned ?? this.nextParticipant++), token: '', address, activeAt: now },
    };
    Object.assign(slot, { address, activeAt: now, yielded: false });
    const resumes = old !== undefined || this.expected.delete(slot.you.id);
    if (old?.member !== undefined) {
      this.occupied.delete(old.member);
      this.busy.delete(old.member);
    }
    this.reserved.delete(slot);
    slot.previousToken = old || returned !== undefined ? token : undefined;
    slot.token = this.options.tokens.issue({ participant: slot.you.id, since: 0 });
    this.occupied.set(member, slot);
    return {
      you: slot.you,
      isNew: !resumes,
      ...(old?.member !== undefined && { replaced: old.member }),
    };
  }

  /** The client has received its new token, so the previous one becomes invalid. */
  confirm(member: M): void {
    const slot = this.occupied.get(member);
    if (slot) slot.previousToken = undefined;
  }

  /** The participant that a token belongs or once belonged to. */
  ownerOf(token: string): ParticipantId | undefined {
    return this.find(token)?.slot.you.id ?? (this.read(token).participant || undefined);
  }

  /** A new number for an actor without a slot. */
  newNumber(): ParticipantId {
    return this.nextParticipant++;
  }

  /** Whether a token resumes an occupied or reserved slot. */
  holdsSlotFor(token: string): boolean {
    const found = this.find(token);
    if (found) return !found.slot.yielded;
    const returned = this.returning(token);
    return returned !== undefined && this.expected.has(returned) && this.read(token).since === 0;
  }

  /** Renames a participant. @returns the renamed participant; undefined without a slot */
  rename(member: M, name: string): ParticipantView | undefined {
    const slot = this.occupied.get(member);
    if (!slot) return undefined;
    slot.you = { ...slot.you, name };
    return slot.you;
  }

  /** The participant of a connection has done something. */
  touch(member: M, now: number): void {
    const slot = this.occupied.get(member);
    if (slot) slot.activeAt = now;
  }

  /** @param until time, ms, until which the participant counts as busy; 0 for not busy */
  setBusy(member: M, until: number): void {
    if (until > 0 && this.occupied.has(member)) this.busy.set(member, until);
    else this.busy.delete(member);
  }

  /** Whether any present participant is busy. */
  isBusy(now: number): boolean {
    for (const until of this.busy.values()) if (until > now) return true;
    return false;
  }

  /**
   * Who has to give up their place to somebody in the queue: see `chooseYielding`.
   *
   * @returns undefined while nobody waits or a slot is free
   */
  yielding(now: number): M | undefined {
    if (this.queue.size === 0 || this.occupied.size < this.capacity) return undefined;
    const seats = [...this.occupied].map(([member, { address, activeAt }]) => {
      return { member, address, activeAt };
    });
    return chooseYielding(seats, this.nextAddress()!, now)?.member;
  }

  /**
   * Frees a slot and reserves it for a while.
   *
   * @param yielded whether they gave it up: in a full room they then wait like everybody
   * @returns the participant; undefined without a slot
   */
  leave(member: M, now: number, yielded = false): ParticipantView | undefined {
    const slot = this.occupied.get(member);
    if (!slot) return undefined;
    this.occupied.delete(member);
    this.busy.delete(member);
    slot.yielded = yielded;
    this.reserved.set(slot, now + this.options.grace);
    return slot.you;
  }

  /** Removes reservations that are over. @returns their participants */
  expire(now: number): ParticipantId[] {
    const expired: ParticipantId[] = [];
    this.isHeld &&= now < this.options.expected!.held;
    for (const [slot, until] of this.reserved) {
      if (until > now) break;
      this.reserved.delete(slot);
      expired.push(slot.you.id);
    }
    if (this.expected.size > 0 && (this.options.expected?.until ?? 0) <= now) {
      expired.push(...this.expected);
      this.expected.clear();
    }
    return expired;
  }

  /**
   * Adds a connection to the queue, in which addresses take turns. A token of an earlier place gives
   * that place back.
   *
   * @param date ms since the epoch
   * @returns the token of its place, and who has to leave the full queue for it, which may be the
   *   connection itself
   */
  enqueue(
    member: M,
    { token = '', address, date }: Pick<Claim, 'token' | 'address'> & { readonly date: number },
  ): { token: string; dropped: M | undefined } {
    const earlier = this.read(token).since;
    // The wall clock may be set back.
    this.lastQueued = Math.max(this.lastQueued, date);
    const since = earlier > Math.max(0, date - PLACE_LASTS) ? earlier : this.lastQueued;
    const place = this.options.tokens.issue({ participant: this.ownerOf(token) ?? 0, since });
    const found = this.find(token);
    // Whoever is present keeps their own.
    if (found && found.member === undefined) {
      Object.assign(found.slot, { token: place, previousToken: token });
    }
    return { token: place, dropped: this.queue.add(address, member, since) };
  }

  /** Gives a connection's place in the queue to another one. @returns whether it was in the queue */
  replaceQueued(member: M, by: M): boolean {
    return this.queue.replace(member, by);
  }

  /** Removes a connection from the queue. @returns whether it was in the queue */
  leaveQueue(member: M): boolean {
    return this.queue.delete(member);
  }

  /** Removes and returns the first in the queue if a slot is free. */
  dequeue(): M | undefined {
    const next = this.isFull ? undefined : this.nextAddress();
    return next === undefined ? undefined : this.queue.takeOf(next);
  }

  /** The queue, the first in line first. */
  get queued(): readonly M[] {
    return this.queue.entries(this.slotsOf());
  }

  /** Number of connections in the queue. */
  get waiting(): number {
    return this.queue.size;
  }

  /** The address that is next in the queue: one with the fewest places. */
  private nextAddress(): string | undefined {
    return this.queue.next(this.slotsOf());
  }

  private slotsOf(): (address: string) => number {
    const counts = countSlots(this.occupied.values());
    return (address) => counts.get(address) ?? 0;
  }

  /** The owner of an expired token, unless they are present or have a reserved slot. */
  private returning(token: string): ParticipantId | undefined {
    const id = this.read(token).participant;
    if (id === 0 || id >= this.nextParticipant || this.memberOf(id) !== undefined) {
      return undefined;
    }
    for (const { you } of this.reserved.keys()) if (you.id === id) return undefined;
    return id;
  }

  private read(token: string): ResumeToken {
    return this.options.tokens.read(token) ?? { participant: 0, since: 0 };
  }

  private find(token: string): { slot: Slot; member?: M } | undefined {
    const fits = (slot: Slot): boolean => slot.token === token || slot.previousToken === token;
    for (const slot of this.reserved.keys()) if (fits(slot)) return { slot };
    for (const [member, slot] of this.occupied) if (fits(slot)) return { slot, member };
    return undefined;
  }
}
