/** Limits on the time, messages and memory that an extension may use. */

/** Time limit for an extension's verdict on a drawing, in ms. */
export const DRAWING_ANSWER = 5_000;

/** Limits of an extension. Durations are in ms. */
export const LIMITS = {
  loading: 20_000,
  /**
   * Time limit for a hook's verdict on an action. Without a verdict in time, the action is allowed.
   */
  answer: 250,
  /** Interval between pings. A thread that has not answered before the next ping is restarted. */
  stall: 5_000,
  /** Pause before the first restart. Doubles with each restart, up to `maxPause`. */
  firstPause: 1_000,
  /**
   * Maximum pause before a restart. After an extension has run for this long, its next pause is
   * `firstPause` again.
   */
  maxPause: 60_000,
  /** Time limit for the hook `onClose`. */
  closing: 2_000,
  /**
   * Number of failures at which an extension is restarted. Failures are forgiven one by one:
   * `failures` of them in `forgivenAfter` ms.
   */
  failures: 5,
  forgivenAfter: 60_000,
  /** Maximum number of events that an extension has not handled yet. */
  backlog: 2_000,
  messagesPerSecond: 5_000,
  linesPerSecond: 10,
  /** Maximum memory per extension, in MB. */
  megabytes: 256,
  /** Minimum interval between two `onFigures` events of a room. */
  figures: 500,
} as const;
