/** Who is present in a room, and which organism makes room for another (rules DEP-1 … DEP-6). */
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { Attendance } from './attendance.ts';
import { chooseDeparting, chooseFresh, chooseUnattended, type Moment } from './departure.ts';
import type { Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { CommandState } from './room-state.ts';

/** A tick, and the nominal ticks per second. */
export type DepartureTime = Pick<Moment, 'tick' | 'tickRate'>;

/** Tracks attendance, and chooses by it. */
export class Departures {
  /** Undefined in a room of an earlier release: its full room rejects instead of removing. */
  private attendance: Attendance | undefined = new Attendance();

  constructor(private readonly lifecycle: OrganismLifecycle) {}

  /** Whether attendance is tracked, so that a full room can make room. */
  get areKnown(): boolean {
    return this.attendance !== undefined;
  }

  /** Participants who are known to be present. */
  get present(): Iterable<ParticipantId> {
    return this.attendance?.participants ?? [];
  }

  /** Starts tracking attendance with these participants. */
  start(present: readonly ParticipantId[]): void {
    this.attendance = new Attendance({ present: [...present], absent: [] });
  }

  /** @param source the same for all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.attendance?.enter(participant, source);
  }

  leave(participant: ParticipantId, tick: number): void {
    this.attendance?.leave(participant, tick);
  }

  export(): Pick<CommandState, 'attendance'> {
    return this.attendance ? { attendance: this.attendance.export() } : {};
  }

  restore({ attendance }: Pick<CommandState, 'attendance'>): void {
    this.attendance = attendance && new Attendance(attendance);
  }

  /** Call once a tick: forgets absent participants without organisms. */
  prune(tick: number): void {
    this.attendance?.prune(
      tick,
      () => new Set([...this.lifecycle.all].map(({ planter }) => planter.id)),
    );
  }

  /** The organism that has been unattended longest, if any; see `departure.ts`. */
  unattended(time: DepartureTime): Organism | undefined {
    const moment = this.moment(time);
    return moment && chooseUnattended([...this.lifecycle.all], moment);
  }

  /**
   * @returns the organism to remove for a new one; undefined while there is room
   * @throws Refusal garden-full
   */
  departing(
    planter: ParticipantId,
    maxOrganisms: number,
    time: DepartureTime,
  ): Organism | undefined {
    if (this.lifecycle.size < maxOrganisms) return undefined;
    const moment = this.moment(time);
    const all = [...this.lifecycle.all];
    const departing = moment && (chooseDeparting(all, moment) ?? chooseFresh(all, moment, planter));
    if (!departing) throw new Refusal('garden-full');
    return departing;
  }

  private moment(time: DepartureTime): Moment | undefined {
    return this.attendance && { ...this.attendance.facts, ...time };
  }
}
