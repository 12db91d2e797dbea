/** Times at the server. The browser may be in another time zone. */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const time = { hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    const local = { ...numeric, ...time, hourCycle: 'h23', timeZone: zone } as const;
    format = new Intl.DateTimeFormat('en-US', local);
    formats.set(zone, format);
  }
  return format;
}

/**
 * What clock and calendar show, as if they were those of UTC; ms.
 *
 * @param at ms since 1970
 * @param zone the server's, such as 'Europe/Copenhagen'
 */
export function localTime(at: number, zone: string): number {
  const parts = formatOf(zone).formatToParts(at);
  const [year, month, day, hour, minute, second] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((wanted) => Number(parts.find(({ type }) => type === wanted)?.value)) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
