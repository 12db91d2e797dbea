/** Time that all processes of one machine share. */

/** @returns ms of the system's monotonic clock */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
