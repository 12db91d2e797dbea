/**
 * Tracks how long participants have stayed, how active they are, and which of them share an
 * address. The statistics are kept in memory only.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';

interface Visit {
  /** When the visit started, in ms. */
  readonly since: number;
  /** Address key (see `addressKey`); '' if unknown. */
  address: string;
  /** Id of the first participant with the same address (see `sourceOf`). */
  readonly source: ParticipantId;
  /** Number of accepted commands. A stroke that arrives in several messages counts once. */
  commands: number;
}

/** Visit statistics of participants, for the host's list of visitors. */
export class Visits {
  private readonly visits = new Map<ParticipantId, Visit>();

  /**
   * Starts a participant's visit, or resumes it after a reconnection.
   *
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

  /** Ends a participant's visit. Call once the participant's seat is no longer reserved. */
  leave(participant: ParticipantId): void {
    this.visits.delete(participant);
  }

  /** Returns whether a participant is present, or their seat is still reserved. */
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
   * Returns an id that all participants with the same address share, and that does not reveal the
   * address: the id of the first of these participants.
   *
   * @returns undefined if the participant is unknown
   */
  sourceOf(participant: ParticipantId): ParticipantId | undefined {
    return this.visits.get(participant)?.source;
  }

  /** Counts the present participants at each known address. */
  participantsByAddress(present: Iterable<ParticipantId>): ReadonlyMap<string, number> {
    const known = [...present].map((id) => this.addressOf(id)).filter((address) => address !== '');
    return countBy(known, (address) => address);
  }

  /**
   * Summarises the visit of a present participant: `stay` is its duration in ms, `acts` the number
   * of accepted commands, and `neighbours` the number of other participants with the same address.
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
