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
  const part = (wanted: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find(({ type }) => type === wanted)?.value);
  return Date.UTC(
    ...([part('year'), part('month') - 1, part('day')] as const),
    ...([part('hour'), part('minute'), part('second')] as const),
  );
}
