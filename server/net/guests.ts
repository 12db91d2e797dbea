/** Who is in a room, as its host sees them: since when, from which address, and how much each has done. Nothing of it is kept. */
import type { ParticipantId } from '../../shared/vocabulary.ts';

interface Guest {
  readonly since: number;
  /** What her address is called; '' where none is known. */
  address: string;
  acts: number;
}

export class Guests {
  private readonly guests = new Map<ParticipantId, Guest>();

  /** She is there, for the first time or again. @param now ms */
  enter(participant: ParticipantId, address: string, now: number): void {
    const known = this.guests.get(participant);
    if (known) known.address = address;
    else this.guests.set(participant, { since: now, address, acts: 0 });
  }

  /** Her seat is kept no longer. */
  leave(participant: ParticipantId): void {
    this.guests.delete(participant);
  }

  /** A command of hers was accepted. */
  acted(participant: ParticipantId): void {
    const guest = this.guests.get(participant);
    if (guest) guest.acts++;
  }

  addressOf(participant: ParticipantId): string {
    return this.guests.get(participant)?.address ?? '';
  }

  /**
   * @param present those who are there now
   * @returns what is known of one
   */
  about(participant: ParticipantId, present: readonly ParticipantId[], now: number) {
    const { since, address, acts } = this.guests.get(participant) ?? {
      since: now,
      address: '',
      acts: 0,
    };
    const neighbours = present.filter(
      (id) => id !== participant && address !== '' && this.addressOf(id) === address,
    ).length;
    return { stay: now - since, acts, neighbours };
  }
}
