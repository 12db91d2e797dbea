/** Where everybody's hands are. Newest wins: of each only the last place is kept until it is passed on. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import {
  type PackedPointer,
  type Pointer,
  packPointer,
} from '../../../shared/protocol/pointers.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

export class Cursors {
  private moved = new Map<ParticipantId, Pointer>();
  private told = 0;

  move(participant: ParticipantId, pointer: Omit<Pointer, 'id'>): void {
    this.moved.set(participant, { ...pointer, id: participant });
  }

  /** It is to be shown no longer. */
  hide(participant: ParticipantId): void {
    this.moved.set(participant, { id: participant, tool: 'look' });
  }

  /** She is gone: there is nothing more to tell of her. */
  forget(participant: ParticipantId): void {
    this.moved.delete(participant);
  }

  /**
   * @param now ms
   * @param people who are told
   * @returns what has moved since it was last asked; undefined when that is nothing, or too short a time ago
   */
  due(now: number, people: number): PackedPointer[] | undefined {
    const { cursorInterval, cursorPeople } = DEFAULTS.net;
    const interval = cursorInterval * Math.max(1, people / cursorPeople);
    if (now - this.told < interval || this.moved.size === 0) return undefined;
    const all = [...this.moved.values()].map(packPointer);
    this.moved = new Map();
    this.told = now;
    return all;
  }
}
