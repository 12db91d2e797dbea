/** How long a touch table keeps people's rings and QR codes, and when it starts over. */

export const TIMEOUTS = {
  /** Time without a touch after which a person's ring is removed, in ms. */
  ring: 15_000,
  /** Time without a touch after which the table starts over for new people, in ms. */
  table: 40_000,
  /**
   * Duration of the warnings, in ms: a ring pulses before it is removed, and the table shows a
   * countdown before it starts over.
   */
  warning: { ring: 5_000, table: 10_000 },
  /** Interval at which the table checks these timeouts, in ms. */
  check: 250,
} as const;
