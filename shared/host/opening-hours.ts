/** The server's schedule, which a host can change: opening hours and the daily restart. */
import * as v from 'valibot';

/** A time of day by the server's clock, as `HH:MM`. */
const time = v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 09:30'));

/** The opening hours of one day; null if rooms are closed all day. */
const hours = v.nullable(v.strictObject({ from: time, to: time }));

export const MAX_EXCEPTIONS = 100;

const exception = v.pipe(
  v.strictObject({
    /** First day of the exception, such as `2026-12-24`. */
    first: v.pipe(v.string(), v.isoDate()),
    last: v.pipe(v.string(), v.isoDate()),
    hours,
  }),
  v.check(({ first, last }) => first <= last, 'ends before it begins'),
);

/**
 * Returns whether opening hours end on the next day. If `from` equals `to`, the room is open for 24
 * hours.
 */
export const closesNextDay = (hours: { readonly from: string; readonly to: string }): boolean =>
  hours.to <= hours.from;

export const schedule = v.strictObject({
  /** Whether the schedule is in effect. If not, rooms are always open. */
  on: v.boolean(),
  /** Opening hours of each weekday, Monday first. */
  days: v.pipe(v.array(hours), v.length(7)),
  /**
   * Days with different opening hours, such as holidays. If exceptions overlap, the last one in the
   * list applies.
   */
  exceptions: v.optional(v.pipe(v.array(exception), v.maxLength(MAX_EXCEPTIONS)), []),
  /**
   * What happens outside the opening hours. 'dim': walls are dimmed. 'close': walls are dimmed, and
   * the server disconnects visitors and lets no visitor join.
   */
  outside: v.picklist(['dim', 'close']),
  /** Whether all organisms dissolve when the opening hours end. */
  farewell: v.boolean(),
  /**
   * Time of day at which the server exits; null for no daily restart. The program that supervises
   * the server then starts it again.
   */
  restart: v.nullable(time),
});
export type Schedule = v.InferOutput<typeof schedule>;

export const ALWAYS_OPEN: Schedule = {
  on: false,
  days: Array.from({ length: 7 }, () => ({ from: '09:00', to: '18:00' })),
  exceptions: [],
  outside: 'dim',
  farewell: false,
  restart: null,
};
