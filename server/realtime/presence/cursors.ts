/**
 * The participants' cursors. For each cursor, only the latest position is kept until it is
 * broadcast.
 */
import {
  type PackedPointer,
  POINTER_INTERVAL,
  type Pointer,
  packPointer,
} from '../../../shared/protocol/pointers.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

/** Number of people above which the cursor interval grows, to limit traffic. */
export const CURSOR_PEOPLE = 250;

/** Collects the moves of cursors and returns them at a limited rate. */
export class Cursors {
  private moved = new Map<ParticipantId, Pointer>();
  private lastSentAt = 0;

  move(participant: ParticipantId, pointer: Omit<Pointer, 'id'>): void {
    this.moved.set(participant, { ...pointer, id: participant });
  }

  /** Makes all pages hide a participant's cursor. */
  hide(participant: ParticipantId): void {
    this.moved.set(participant, { id: participant, tool: 'look' });
  }

  /** Drops a move that has not been broadcast yet, because the participant has left. */
  forget(participant: ParticipantId): void {
    this.moved.delete(participant);
  }

  /**
   * Returns the cursors that have moved, and clears them. The interval between broadcasts grows
   * with the number of recipients.
   *
   * @param now ms
   * @param people number of recipients
   * @returns undefined if no cursor has moved, or if the last broadcast was too recent
   */
  due(now: number, people: number): PackedPointer[] | undefined {
    const cursorInterval = POINTER_INTERVAL;
    const cursorPeople = CURSOR_PEOPLE;
    const interval = cursorInterval * Math.max(1, people / cursorPeople);
    if (now - this.lastSentAt < interval || this.moved.size === 0) return undefined;
    const all = [...this.moved.values()].map(packPointer);
    this.moved = new Map();
    this.lastSentAt = now;
    return all;
  }
}
