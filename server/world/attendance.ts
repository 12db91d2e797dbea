/** Who is in a room, and since when others are not. Counted in ticks alone, as it is journalled. */
import type { ParticipantId } from '../../shared/vocabulary.ts';

export interface AttendanceState {
  readonly present: readonly ParticipantId[];
  /** Of those who have left and still have organisms here. */
  readonly absent: readonly { readonly participant: ParticipantId; readonly since: number }[];
}

/** Ticks after which those who left and have nothing here any more are forgotten. */
const PRUNE_EVERY = 64;

export class Attendance {
  private readonly present: Set<ParticipantId>;
  private readonly absent: Map<ParticipantId, number>;

  /** @param from to go on from there */
  constructor(from: AttendanceState = { present: [], absent: [] }) {
    this.present = new Set(from.present);
    this.absent = new Map(from.absent.map(({ participant, since }) => [participant, since]));
  }

  get participants(): Iterable<ParticipantId> {
    return this.present;
  }

  enter(participant: ParticipantId): void {
    this.present.add(participant);
    this.absent.delete(participant);
  }

  /** Somebody who was here has left; others, like the gardener, never were. */
  leave(participant: ParticipantId, tick: number): void {
    if (this.present.delete(participant)) this.absent.set(participant, tick);
  }

  /** @returns a tick; undefined while they are here, −Infinity if they never were, as far as is known */
  readonly absentSince = (participant: ParticipantId): number | undefined =>
    this.present.has(participant)
      ? undefined
      : (this.absent.get(participant) ?? Number.NEGATIVE_INFINITY);

  /** Once a tick. @param planters of all that live */
  prune(tick: number, planters: () => ReadonlySet<ParticipantId>): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const known = planters();
    for (const participant of this.absent.keys()) {
      if (!known.has(participant)) this.absent.delete(participant);
    }
  }

  export(): AttendanceState {
    const absent = [...this.absent].map(([participant, since]) => ({ participant, since }));
    return { present: [...this.present], absent };
  }
}
