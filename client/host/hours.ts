/** The schedule before it is kept. Pure. */
import { msg, str } from '@lit/localize';
import type { Schedule } from '../../shared/host/settings.ts';
import { DAY_NAMES } from './text.ts';

/** A schedule must open before it closes, as its schema says. */
export function scheduleError(schedule: Schedule): string {
  const wrong = schedule.days.findIndex((day) => day && day.from >= day.to);
  return wrong < 0 ? '' : msg(str`It closes before it opens: ${DAY_NAMES[wrong] ?? ''}.`);
}
