/** Tracks who is present in a room and when others left, in ticks, so that a replay is exact. */
import type { ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomState } from './room-state.ts';

type AttendanceState = NonNullable<RoomState['attendance']>;

/** Ticks between two removals of absent participants without organisms. */
const PRUNE_EVERY = 64;

/** The present participants of a room, and the absent ones who still have organisms. */
export class Attendance {
  private readonly present: Set<ParticipantId>;
  private readonly absent: Map<ParticipantId, number>;

  /** @param from restored state; default: nobody */
  constructor(from: AttendanceState = { present: [], absent: [] }) {
    this.present = new Set(from.present);
    this.absent = new Map(from.absent.map(({ participant, since }) => [participant, since]));
  }

  /** Participants who are present. */
  get participants(): Iterable<ParticipantId> {
    return this.present;
  }

  enter(participant: ParticipantId): void {
    this.present.add(participant);
    this.absent.delete(participant);
  }

  /** Records that a participant left. Ignores actors that never entered, such as the gardener. */
  leave(participant: ParticipantId, tick: number): void {
    if (this.present.delete(participant)) this.absent.set(participant, tick);
  }

  /** The tick at which a participant left; undefined while present, −Infinity if not known. */
  readonly absentSince = (participant: ParticipantId): number | undefined =>
    this.present.has(participant)
      ? undefined
      : (this.absent.get(participant) ?? Number.NEGATIVE_INFINITY);

  /** Call once a tick: forgets absent participants. @param planters of all living organisms */
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
