/** Who is in a room, as its host sees them: since when, from which address, and how much each has done. Nothing of it is kept. */
import type { ParticipantId } from '../../../shared/vocabulary.ts';

interface Guest {
  readonly since: number;
  /** What her address is called; '' where none is known. */
  address: string;
  acts: number;
}

export class VisitStatistics {
  private readonly visits = new Map<ParticipantId, Guest>();

  /** She is there, for the first time or again. @param now ms */
  enter(participant: ParticipantId, address: string, now: number): void {
    const known = this.visits.get(participant);
    if (known) known.address = address;
    else this.visits.set(participant, { since: now, address, acts: 0 });
  }

  /** Her seat is kept no longer. */
  leave(participant: ParticipantId): void {
    this.visits.delete(participant);
  }

  /** A command of hers was accepted. */
  countCommand(participant: ParticipantId): void {
    const guest = this.visits.get(participant);
    if (guest) guest.acts++;
  }

  addressOf(participant: ParticipantId): string {
    return this.visits.get(participant)?.address ?? '';
  }

  /** How many of those who are there come from each address that is known. */
  participantsByAddress(present: Iterable<ParticipantId>): ReadonlyMap<string, number> {
    const crowds = new Map<string, number>();
    for (const id of present) {
      const address = this.addressOf(id);
      if (address !== '') crowds.set(address, (crowds.get(address) ?? 0) + 1);
    }
    return crowds;
  }

  /**
   * What is known of one who is there.
   *
   * @param crowds of all who are there, her among them
   */
  summaryOf(participant: ParticipantId, crowds: ReadonlyMap<string, number>, now: number) {
    const { since, address, acts } = this.visits.get(participant) ?? {
      since: now,
      address: '',
      acts: 0,
    };
    return { stay: now - since, acts, neighbours: (crowds.get(address) ?? 1) - 1 };
  }
}
