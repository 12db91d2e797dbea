/**
 * The slots of a room: occupied ones, ones reserved for participants who just left, and the queue.
 */
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';

interface Slot {
  you: ParticipantView;
  /** Resumes this slot at the next join; replaced at each join. */
  token: string;
  /**
   * The token of the last join. It stays valid until the client confirms that it has the new one.
   */
  previousToken?: string | undefined;
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
  /** Issues a token for a participant that nobody can guess. */
  readonly newToken: (participant: ParticipantId) => string;
  /** The participant that a token was issued for; undefined if this server did not issue it. */
  readonly readToken: (token: string) => ParticipantId | undefined;
  /** Participants present when the server stopped. Their slots stay reserved until then; ms. */
  readonly expected?: { readonly participants: readonly ParticipantId[]; readonly until: number };
}

interface ReservedSlot {
  readonly slot: Slot;
  /** ms */
  readonly until: number;
}

/**
 * Gives participants slots and numbers, and lets them resume.
 *
 * @typeParam M a connection
 */
export class ParticipantSlots<M> {
  private readonly occupied = new Map<M, Slot>();
  /** By token, in the order of leaving. */
  private readonly reserved = new Map<string, ReservedSlot>();
  private readonly queue: M[] = [];
  private readonly expected: Set<ParticipantId>;
  private nextParticipant: number;
  /** Participants that may be present at once. If it is lowered, nobody has to leave. */
  capacity: number;

  constructor(private readonly options: SlotOptions) {
    this.nextParticipant = options.first ?? 1;
    this.capacity = options.capacity;
    this.expected = new Set(options.expected?.participants);
  }

  /** Number of present participants. */
  get size(): number {
    return this.occupied.size;
  }

  /** Whether newcomers have to wait. */
  get isFull(): boolean {
    return this.occupied.size >= this.capacity;
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
   * @param token resumes a slot; an unknown or superseded token gives a new one
   * @param newcomer makes the participant of a new slot; an expired token still restores the number
   * @returns the participant, whether their state in the room is new, and the replaced connection
   */
  claim(
    member: M,
    token: string | undefined,
    newcomer: (id: number) => ParticipantView,
  ): { you: ParticipantView; isNew: boolean; replaced?: M } {
    const old = token === undefined ? undefined : this.find(token);
    const returned = old || token === undefined ? undefined : this.returning(token);
    const slot = old?.slot ?? { you: newcomer(returned ?? this.nextParticipant++), token: '' };
    const resumes = old !== undefined || this.expected.delete(slot.you.id);
    if (old?.member !== undefined) this.occupied.delete(old.member);
    this.reserved.delete(slot.token);
    slot.previousToken = old || returned !== undefined ? token : undefined;
    slot.token = this.options.newToken(slot.you.id);
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
    return this.find(token)?.slot.you.id ?? this.options.readToken(token);
  }

  /** A new number for an actor without a slot. */
  newNumber(): ParticipantId {
    return this.nextParticipant++;
  }

  /** Whether a token resumes an occupied or reserved slot. */
  holdsSlotFor(token: string): boolean {
    if (this.find(token)) return true;
    const returned = this.returning(token);
    return returned !== undefined && this.expected.has(returned);
  }

  /** Renames a participant. @returns the renamed participant; undefined without a slot */
  rename(member: M, name: string): ParticipantView | undefined {
    const slot = this.occupied.get(member);
    if (!slot) return undefined;
    slot.you = { ...slot.you, name };
    return slot.you;
  }

  /**
   * Frees a slot and reserves it for a while.
   *
   * @returns the participant; undefined without a slot
   */
  leave(member: M, now: number): ParticipantView | undefined {
    const slot = this.occupied.get(member);
    if (!slot) return undefined;
    this.occupied.delete(member);
    this.reserved.set(slot.token, { slot, until: now + this.options.grace });
    return slot.you;
  }

  /** Removes reservations that are over. @returns their participants */
  expire(now: number): ParticipantId[] {
    const expired: ParticipantId[] = [];
    for (const [token, { slot, until }] of this.reserved) {
      if (until > now) break;
      this.reserved.delete(token);
      expired.push(slot.you.id);
    }
    if (this.expected.size > 0 && (this.options.expected?.until ?? 0) <= now) {
      expired.push(...this.expected);
      this.expected.clear();
    }
    return expired;
  }

  /**
   * Adds a connection to the queue.
   *
   * @returns how many are ahead; undefined if the queue is full
   */
  enqueue(member: M): number | undefined {
    if (this.queue.length >= this.options.maxWaiting) return undefined;
    return this.queue.push(member) - 1;
  }

  /** Removes a connection from the queue. @returns whether it was in the queue */
  leaveQueue(member: M): boolean {
    const index = this.queue.indexOf(member);
    if (index >= 0) this.queue.splice(index, 1);
    return index >= 0;
  }

  /** Removes and returns the first in the queue if a slot is free. */
  dequeue(): M | undefined {
    return this.isFull ? undefined : this.queue.shift();
  }

  /** The queue, the first in line first. */
  get queued(): readonly M[] {
    return this.queue;
  }

  /** The owner of an expired token, unless they are present or have a reserved slot. */
  private returning(token: string): ParticipantId | undefined {
    const id = this.options.readToken(token);
    if (id === undefined || id >= this.nextParticipant || this.memberOf(id) !== undefined) {
      return undefined;
    }
    for (const { slot } of this.reserved.values()) if (slot.you.id === id) return undefined;
    return id;
  }

  private find(token: string): { slot: Slot; member?: M } | undefined {
    const fits = (slot: Slot): boolean => slot.token === token || slot.previousToken === token;
    for (const { slot } of this.reserved.values()) if (fits(slot)) return { slot };
    for (const [member, slot] of this.occupied) if (fits(slot)) return { slot, member };
    return undefined;
  }
}
