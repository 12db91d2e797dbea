/** Tracks who is present in a room and when others left, in ticks, so that a replay is exact. */
import type { ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomState } from './room-state.ts';

type AttendanceState = RoomState['attendance'];

/** Ticks between two removals of absent participants without organisms. */
const PRUNE_EVERY = 64;

/** The present participants of a room, and the absent ones who still have organisms. */
export class Attendance {
  private readonly present: Set<ParticipantId>;
  private readonly absent: Map<ParticipantId, number>;
  /** Where the present and the absent came from; undefined until somebody's source is known. */
  private sources: Map<ParticipantId, number> | undefined;

  /** @param from restored state; default: nobody */
  constructor(from: AttendanceState = { present: [], absent: [] }) {
    this.present = new Set(from.present);
    this.absent = new Map(from.absent.map(({ participant, since }) => [participant, since]));
    this.sources =
      from.sources && new Map(from.sources.map(({ participant, source }) => [participant, source]));
  }

  /** Participants who are present. */
  get participants(): Iterable<ParticipantId> {
    return this.present;
  }

  isPresent(participant: ParticipantId): boolean {
    return this.present.has(participant);
  }

  /** @param source the same for all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.present.add(participant);
    this.absent.delete(participant);
    if (source === undefined) return;
    this.sources ??= new Map();
    this.sources.set(participant, source);
  }

  /** Records that a participant left. Ignores actors that never entered, such as the gardener. */
  leave(participant: ParticipantId, tick: number): void {
    if (this.present.delete(participant)) this.absent.set(participant, tick);
  }

  /** What the choice of a departing organism depends on; see `Moment`. */
  get facts() {
    const { present, absent, sources } = this;
    return {
      absentSince: (participant: ParticipantId): number | undefined =>
        present.has(participant)
          ? undefined
          : (absent.get(participant) ?? Number.NEGATIVE_INFINITY),
      ...(sources && { sourceOf: (participant: ParticipantId) => sources.get(participant) }),
    };
  }

  /** Call once a tick: forgets absent participants. @param planters of all living organisms */
  prune(tick: number, planters: () => ReadonlySet<ParticipantId>): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const known = planters();
    for (const participant of this.absent.keys()) {
      if (known.has(participant)) continue;
      this.absent.delete(participant);
      this.sources?.delete(participant);
    }
  }

  export(): AttendanceState {
    const absent = [...this.absent].map(([participant, since]) => ({ participant, since }));
    const sources =
      this.sources && [...this.sources].map(([participant, source]) => ({ participant, source }));
    return { present: [...this.present], absent, ...(sources && { sources }) };
  }
}
