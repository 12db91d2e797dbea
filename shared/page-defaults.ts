/**
 * The part of `DEFAULTS` that pages need, kept separate so that pages do not load the rest. Times
 * are in ms, lengths in cells.
 */
export const PAGE_DEFAULTS = {
  room: {
    /** Ticks per second, 1…60. */
    tickRate: 15,
    /** Maximum number of seeds in a participant's hand; the oldest is dropped. */
    maxSeedsInHand: 8,
  },
  stroke: {
    minRadius: 0.5,
    maxRadius: 12,
    /** Initial stroke radius, for mouse and for touch: a finger hides a narrow cut. */
    radius: 3,
    touchRadius: 5,
    maxPoints: 64,
    /** Maximum length of a stroke message, in cells. */
    maxLength: 512,
  },
  energy: {
    /** Price of each organism that a stroke wakes. */
    wake: 1,
  },
  preview: {
    /** Maximum size of a drawing, in bytes: RGBA of 60×60 pixels. */
    maxDrawing: 14_400,
  },
  net: {
    /** Interval of cursor messages. */
    cursorInterval: 66,
    /** Interval at which a page repeats that its visitor is busy. */
    busyInterval: 20_000,
    /** Reconnection delays: first (varied by up to half), maximum, and timeout per attempt. */
    redial: { first: 300, longest: 1_000, attempt: 3_000 },
    maxNameLength: 24,
  },
  attract: {
    /** The gardener's display name, as the planter of its organisms. */
    name: 'The gardener',
  },
  osc: {
    /** Planter's name for seeds that arrive by OSC. */
    planter: 'The house',
  },
  codec: {
    /** Side of a chunk, in cells. */
    chunk: 32,
    /** Number of low bits of colours that a first picture may omit, to arrive sooner. */
    coarseShift: 3,
    /** Number of deltas kept per chunk for viewers that missed some. */
    keptDeltas: 12,
    /** Maximum scale: cells of the room per side of a streamed cell. */
    maxScale: 8,
  },
} as const;
