/** The defaults that pages know too; kept apart so that a page carries no others. */
export const PAGE_DEFAULTS = {
  room: {
    /** Ticks per second, 1…60. */
    tickRate: 15,
    /** Seeds in a participant's hand; the oldest is dropped. */
    maxSeedsInHand: 8,
  },
  stroke: {
    minRadius: 0.5,
    maxRadius: 12,
    /** Radius that a visitor starts with, by mouse and by touch: a finger hides a narrow cut. */
    radius: 3,
    touchRadius: 5,
    maxPoints: 64,
    /** Longest stroke message, in cells. */
    maxLength: 512,
  },
  energy: {
    /** Price of each organism that a stroke wakes. */
    wake: 1,
  },
  preview: {
    /** Bytes of a drawing: RGBA of 60×60. */
    maxDrawing: 14_400,
  },
  net: {
    /** Interval of cursor messages. */
    cursorInterval: 66,
    /** Interval at which a page repeats that its visitor is busy. */
    busyInterval: 20_000,
    /**
     * Reconnection delays: first (up to half more or less at random), longest (never more), and
     * timeout per attempt.
     */
    redial: { first: 300, longest: 1_000, attempt: 3_000 },
    maxNameLength: 24,
  },
  attract: {
    /** Its display name, as the planter of its organisms. */
    name: 'The gardener',
  },
  osc: {
    /** Planter's name for seeds that arrive by OSC. */
    planter: 'The house',
  },
  codec: {
    /** Side of a chunk. */
    chunk: 32,
    /** Low bits of colours that a first picture may omit, to arrive sooner. */
    coarseShift: 3,
    /** Deltas kept per chunk for viewers that missed some. */
    keptDeltas: 12,
    /** Largest scale: places per side of a streamed cell. */
    maxScale: 8,
  },
} as const;
