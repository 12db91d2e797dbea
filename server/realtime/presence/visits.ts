/**
 * Records when each participant arrived, how many commands they have sent, and which participants
 * share a network address. The records are kept only in memory.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';

interface Visit {
  /** When the visit started, in ms. */
  readonly since: number;
  /** Address key (see `addressKey`); '' if unknown. */
  address: string;
  /** Id of the first participant with the same network address (see `sourceOf`). */
  readonly source: ParticipantId;
  /** Number of accepted commands. A stroke in several messages counts once. */
  commands: number;
}

/** Visit statistics of participants, for the host's list of visitors. */
export class Visits {
  private readonly visits = new Map<ParticipantId, Visit>();

  /**
   * Starts a participant's visit, or continues it after a reconnection.
   *
   * @param address address key of the connection (see `addressKey`)
   * @param now current time, in ms
   */
  enter(participant: ParticipantId, address: string, now: number): void {
    const known = this.visits.get(participant);
    if (known) known.address = address;
    else {
      const source = this.sourceAt(address) ?? participant;
      this.visits.set(participant, { since: now, address, source, commands: 0 });
    }
  }

  /** Ends a participant's visit. Call when their seat is no longer reserved. */
  leave(participant: ParticipantId): void {
    this.visits.delete(participant);
  }

  /** Returns whether a participant is present or has a reserved seat. */
  isKnown(participant: ParticipantId): boolean {
    return this.visits.has(participant);
  }

  countCommand(participant: ParticipantId): void {
    const visit = this.visits.get(participant);
    if (visit) visit.commands++;
  }

  /** Returns a participant's address key; '' if unknown. */
  addressOf(participant: ParticipantId): string {
    return this.visits.get(participant)?.address ?? '';
  }

  /**
   * Returns the id of the first participant at this participant's network address. The id stands
   * for the address without revealing the address.
   *
   * @returns undefined if the participant is unknown
   */
  sourceOf(participant: ParticipantId): ParticipantId | undefined {
    return this.visits.get(participant)?.source;
  }

  /** Counts the present participants at each known network address. */
  participantsByAddress(present: Iterable<ParticipantId>): ReadonlyMap<string, number> {
    const known = [...present].map((id) => this.addressOf(id)).filter((address) => address !== '');
    return countBy(known, (address) => address);
  }

  /**
   * Summarises a present participant's visit. `stay` is the visit's duration in ms, `acts` the
   * number of accepted commands, and `neighbours` the number of other participants at the same
   * network address.
   *
   * @param counts result of `participantsByAddress`
   */
  summaryOf(participant: ParticipantId, counts: ReadonlyMap<string, number>, now: number) {
    const visit = this.visits.get(participant);
    return {
      stay: visit ? now - visit.since : 0,
      acts: visit?.commands ?? 0,
      neighbours: (counts.get(visit?.address ?? '') ?? 1) - 1,
    };
  }

  private sourceAt(address: string): ParticipantId | undefined {
    if (address === '') return undefined;
    for (const visit of this.visits.values()) if (visit.address === address) return visit.source;
    return undefined;
  }
}
