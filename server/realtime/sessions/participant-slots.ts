/** Who has a place in a room: those who are there, those who have just gone and may come back, and those who wait. */
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';

export interface Slot {
  you: ParticipantView;
  /** Shown at the next join, it gives the seat back; a new one each time. Not good any more once she has heard of the next. */
  token: string;
  /** With which she came; good until she is known to have heard of the new one. */
  before?: string | undefined;
}

export interface SlotOptions {
  /** Participants that may be there at once. */
  readonly capacity: number;
  /** How long a seat is kept for one who has gone, ms. */
  readonly grace: number;
  readonly maxWaiting: number;
  /** Number of the first participant; 1 by default. */
  readonly first?: number;
  /** Makes a token for a participant, that nobody can guess. */
  readonly newToken: (participant: ParticipantId) => string;
  /** Whose token it once was; undefined for what was never given. */
  readonly readToken: (token: string) => ParticipantId | undefined;
  /** Those whom the server had when it ended, and until when their seats are kept; ms. */
  readonly expected?: { readonly participants: readonly ParticipantId[]; readonly until: number };
}

interface Away {
  readonly slot: Slot;
  readonly until: number;
}

/** @typeParam M what stands for a connection */
export class ParticipantSlots<M> {
  private readonly occupied = new Map<M, Slot>();
  /** By token, in the order of going. */
  private readonly reserved = new Map<string, Away>();
  private readonly queue: M[] = [];
  private readonly expected: Set<ParticipantId>;
  private nextParticipant: number;
  private capacity: number;

  constructor(private readonly rules: SlotOptions) {
    this.nextParticipant = rules.first ?? 1;
    this.capacity = rules.capacity;
    this.expected = new Set(rules.expected?.participants);
  }

  get size(): number {
    return this.occupied.size;
  }

  get isFull(): boolean {
    return this.occupied.size >= this.capacity;
  }

  /** Whether even those whose seats are kept have to wait: as many as may be here have come back beyond those who may. */
  get isCrowded(): boolean {
    return this.occupied.size >= 2 * this.capacity;
  }

  /** From now on so many may be there at once; nobody has to go. */
  setCapacity(capacity: number): void {
    this.capacity = capacity;
  }

  get members(): Iterable<M> {
    return this.occupied.keys();
  }

  get participants(): ParticipantView[] {
    return [...this.occupied.values()].map(({ you }) => you);
  }

  participantOf(member: M): ParticipantView | undefined {
    return this.occupied.get(member)?.you;
  }

  tokenOf(member: M): string | undefined {
    return this.occupied.get(member)?.token;
  }

  /** Who has a participant's seat. */
  memberOf(participant: number): M | undefined {
    for (const [member, { you }] of this.occupied) if (you.id === participant) return member;
    return undefined;
  }

  /**
   * Gives a seat.
   *
   * @param token of a seat of hers; an unknown one, or one that was used while she was here, gives a fresh seat
   * @param newcomer who she is when the seat is fresh; a token of long ago gives her number back
   * @returns the connection that had the seat until now, where one had
   */
  claim(
    member: M,
    token: string | undefined,
    newcomer: (id: number) => ParticipantView,
  ): { you: ParticipantView; isNew: boolean; replaced?: M } {
    const old = token === undefined ? undefined : this.find(token);
    const returned = old || token === undefined ? undefined : this.returning(token);
    const seat = old?.slot ?? { you: newcomer(returned ?? this.nextParticipant++), token: '' };
    const kept = old !== undefined || this.expected.delete(seat.you.id);
    if (old?.member !== undefined) this.occupied.delete(old.member);
    this.reserved.delete(seat.token);
    seat.before = old || returned !== undefined ? token : undefined;
    seat.token = this.rules.newToken(seat.you.id);
    this.occupied.set(member, seat);
    return {
      you: seat.you,
      isNew: !kept,
      ...(old?.member !== undefined && { replaced: old.member }),
    };
  }

  /** She has heard of her new token: the one before is good no longer. */
  confirm(member: M): void {
    const seat = this.occupied.get(member);
    if (seat) seat.before = undefined;
  }

  /** Whose seat a token gives back, or once gave. */
  ownerOf(token: string): ParticipantId | undefined {
    return this.find(token)?.slot.you.id ?? this.rules.readToken(token);
  }

  /** A number for somebody who takes no seat. */
  newNumber(): ParticipantId {
    return this.nextParticipant++;
  }

  /** Whether a token gives a seat back that is kept. */
  holdsSlotFor(token: string): boolean {
    if (this.find(token)) return true;
    const returned = this.returning(token);
    return returned !== undefined && this.expected.has(returned);
  }

  /** She is called otherwise from now on, where she has a seat. @returns who she is now */
  rename(member: M, name: string): ParticipantView | undefined {
    const seat = this.occupied.get(member);
    if (!seat) return undefined;
    seat.you = { ...seat.you, name };
    return seat.you;
  }

  /** She has gone; her seat is kept for a while. @returns who she was */
  leave(member: M, now: number): ParticipantView | undefined {
    const seat = this.occupied.get(member);
    if (!seat) return undefined;
    this.occupied.delete(member);
    this.reserved.set(seat.token, { slot: seat, until: now + this.rules.grace });
    return seat.you;
  }

  /** Those whose seats are kept no longer. */
  expire(now: number): ParticipantId[] {
    const gone: ParticipantId[] = [];
    for (const [token, { slot: seat, until }] of this.reserved) {
      if (until > now) break;
      this.reserved.delete(token);
      gone.push(seat.you.id);
    }
    if (this.expected.size > 0 && (this.rules.expected?.until ?? 0) <= now) {
      gone.push(...this.expected);
      this.expected.clear();
    }
    return gone;
  }

  /** Stands in line. @returns how many wait before her, or undefined when the line is full */
  enqueue(member: M): number | undefined {
    if (this.queue.length >= this.rules.maxWaiting) return undefined;
    return this.queue.push(member) - 1;
  }

  /** Leaves the line. @returns whether she stood in it */
  leaveQueue(member: M): boolean {
    const at = this.queue.indexOf(member);
    if (at >= 0) this.queue.splice(at, 1);
    return at >= 0;
  }

  /** The first in line, if there is room for her. */
  dequeue(): M | undefined {
    return this.isFull ? undefined : this.queue.shift();
  }

  get queued(): readonly M[] {
    return this.queue;
  }

  /** Whose token of before it is, if she is not here and has no seat that is kept. */
  private returning(token: string): ParticipantId | undefined {
    const id = this.rules.readToken(token);
    if (id === undefined || id >= this.nextParticipant || this.memberOf(id) !== undefined) {
      return undefined;
    }
    for (const { slot: seat } of this.reserved.values()) if (seat.you.id === id) return undefined;
    return id;
  }

  private find(token: string): { slot: Slot; member?: M } | undefined {
    const fits = (seat: Slot): boolean => seat.token === token || seat.before === token;
    for (const { slot: seat } of this.reserved.values()) if (fits(seat)) return { slot: seat };
    for (const [member, seat] of this.occupied) if (fits(seat)) return { slot: seat, member };
    return undefined;
  }
}
