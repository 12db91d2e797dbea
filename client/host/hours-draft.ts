/** What the host has changed of the hours, and has not saved. */
import type { Schedule } from '../../shared/host/settings.ts';

type Day = Schedule['days'][number];

/** Only what was changed, so that the rest can change elsewhere meanwhile. */
export interface HoursDraft extends Partial<Omit<Schedule, 'days'>> {
  /** By index, from Monday. */
  readonly days?: Readonly<Record<number, Day>>;
}

/** The schedule with the changes. */
export function withDraft(schedule: Schedule, { days = {}, ...more }: HoursDraft = {}): Schedule {
  return {
    ...schedule,
    ...more,
    days: schedule.days.map((day, i) => (days[i] === undefined ? day : days[i])),
  };
}
