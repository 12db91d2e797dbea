/**
 * Which commands of participants on other servers have been taken on already, so that one that is
 * sent again is done once. A participant's commands have numbers that rise.
 */
import type { CommandName } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';

/** What changes the world, and must not be done twice. */
export const ONCE: ReadonlySet<CommandName> = new Set([
  'plant',
  'damage',
  'cross',
  'transform',
  'renew',
]);

/** Answers of each participant that are kept, at most. */
const KEPT = 32;

export type KnownAnswer =
  | { readonly name: 'accepted'; readonly message: Event<'accepted'> }
  | { readonly name: 'rejected'; readonly message: Event<'rejected'> };

interface Known {
  /** The highest number that has been taken on. */
  taken: number;
  /** Those that are still to be answered. */
  readonly underWay: Set<number>;
  /** By number, oldest first. */
  readonly answers: Map<number, KnownAnswer>;
}

export class Sequences {
  private readonly known = new Map<ParticipantId, Known>();

  /** @param doneBefore the highest number that the room's owners of before have done, 0 for none */
  constructor(private readonly doneBefore: (participant: ParticipantId) => number) {}

  /** The highest number known of a participant. */
  highest(participant: ParticipantId): number {
    return this.of(participant).taken;
  }

  /**
   * Takes a command on.
   *
   * @returns `new`; `under-way`: it was taken on before, and the answer comes; or its answer
   */
  take(participant: ParticipantId, number: number): 'new' | 'under-way' | KnownAnswer {
    const known = this.of(participant);
    if (number > known.taken) {
      known.taken = number;
      known.underWay.add(number);
      return 'new';
    }
    if (known.underWay.has(number)) return 'under-way';
    // What it was answered may be forgotten. The welcome tells the participant what came of it.
    return known.answers.get(number) ?? { name: 'accepted', message: { id: number } };
  }

  /** A command has its answer. Others than those that were taken on are ignored. */
  answered(participant: ParticipantId, number: number, answer: KnownAnswer): void {
    const known = this.of(participant);
    if (!known.underWay.delete(number)) return;
    known.answers.set(number, answer);
    const [oldest] = known.answers.keys();
    if (known.answers.size > KEPT) known.answers.delete(oldest);
  }

  /** Forgets participants who will not come back as who they were. */
  forget(isKnown: (participant: ParticipantId) => boolean): void {
    for (const participant of this.known.keys()) {
      if (!isKnown(participant)) this.known.delete(participant);
    }
  }

  private of(participant: ParticipantId): Known {
    return getOrAdd(this.known, participant, () => {
      const taken = this.doneBefore(participant);
      return { taken, underWay: new Set(), answers: new Map() };
    });
  }
}
