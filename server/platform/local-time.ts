/** A time by the server's clock and calendar: `2026-11-25T14:05:09`. @param at wall clock, ms */
export function localTime(at: number): string {
  const offset = new Date(at).getTimezoneOffset();
  return new Date(at - offset * 60_000).toISOString().slice(0, 19);
}
