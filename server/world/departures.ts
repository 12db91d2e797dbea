/** Who is present in a room, and which organism departs (rules DEP-1 … DEP-6 and DEP-11). */
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { Attendance } from './attendance.ts';
import {
  chooseDeparting,
  chooseFresh,
  chooseOutlived,
  type Moment,
  unattendedOf,
} from './choose-departing.ts';
import type { Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { CommandState } from './room-state.ts';

/** A tick, and the nominal ticks per second. */
export type DepartureTime = Pick<Moment, 'tick' | 'tickRate'>;

/** Tracks attendance, and chooses by it. */
export class Departures {
  private attendance = new Attendance();

  constructor(private readonly lifecycle: OrganismLifecycle) {}

  get present(): Iterable<ParticipantId> {
    return this.attendance.participants;
  }

  isPresent(participant: ParticipantId): boolean {
    return this.attendance.isPresent(participant);
  }

  /** @param source the same for all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.attendance.enter(participant, source);
  }

  leave(participant: ParticipantId, tick: number): void {
    this.attendance.leave(participant, tick);
  }

  export(): Pick<CommandState, 'attendance'> {
    return { attendance: this.attendance.export() };
  }

  restore({ attendance }: Pick<CommandState, 'attendance'>): void {
    this.attendance = new Attendance(attendance);
  }

  /** Call once a tick: forgets absent participants without organisms. */
  prune(tick: number): void {
    this.attendance.prune(
      tick,
      () => new Set([...this.lifecycle.all].map(({ planter }) => planter.id)),
    );
  }

  /** The unattended organisms, the longest first; see `unattendedOf`. */
  unattended(time: DepartureTime, seconds?: number): Organism[] {
    return unattendedOf(this.staying, this.moment(time), seconds);
  }

  /** A resting organism that has outlived its lifetime, if any. @param lifetime seconds */
  outlived(lifetime: number, time: DepartureTime): Organism | undefined {
    return chooseOutlived(this.staying, this.moment(time), lifetime);
  }

  /** Whether a planter is present, or has been. */
  knows(planter: ParticipantId): boolean {
    const since = this.attendance.facts.absentSince(planter) ?? 0;
    return Number.isFinite(since);
  }

  /**
   * Chooses who departs for one more organism.
   *
   * @param planter of the new one; undefined: nothing fresh departs for it
   * @returns undefined while there is room
   * @throws Refusal garden-full
   */
  departing(
    planter: ParticipantId | undefined,
    maxOrganisms: number,
    time: DepartureTime,
  ): Organism | undefined {
    if (this.lifecycle.size < maxOrganisms) return undefined;
    const moment = this.moment(time);
    const { staying } = this;
    let departing = chooseDeparting(staying, moment);
    if (planter !== undefined) departing ??= chooseFresh(staying, moment, planter);
    if (!departing) throw new Refusal('garden-full');
    return departing;
  }

  private get staying(): Organism[] {
    return [...this.lifecycle.all].filter(({ phase }) => phase !== 'departing');
  }

  private moment(time: DepartureTime): Moment {
    return { ...this.attendance.facts, ...time };
  }
}
