/**
 * The one defaults object: every number that a host could want to change or a client must know.
 * Times are in milliseconds unless a name says otherwise; lengths are in cells.
 */
export const DEFAULTS = {
  room: {
    width: 256,
    height: 256,
    /** Ticks per second, 1…60. */
    tickRate: 15,
    /** Organisms that may live at once. */
    maxOrganisms: 256,
    /** Participants that may be in the room at once. */
    capacity: 200,
    /** Commands of one participant that may wait for the next tick. */
    maxQueuedPerParticipant: 32,
    /** Seeds a participant can hold in her hand; the oldest falls out. */
    maxSeedsInHand: 8,
  },
  life: {
    /** Largest change of an RGBA8 read-out value between steps that still counts as rest. */
    restLevel: 1,
    /** Ticks of rest after which an organism sleeps. */
    restTicks: 8,
  },
  stroke: {
    minRadius: 0.5,
    maxRadius: 12,
    maxPoints: 64,
    /** Longest way of one stroke message, in cells. */
    maxLength: 512,
  },
  net: {
    port: 8080,
    /** Largest inbound message, bytes. */
    maxMessageBytes: 16_384,
    /** A connection that has not joined by then is closed. */
    joinTimeout: 10_000,
    /** Delta frames a client may have unacknowledged before it skips to a keyframe. */
    maxFramesInFlight: 2,
    /** A frame is sent at least so often, so that clients see the room tick. */
    heartbeat: 1_000,
    /** Cursors are passed on so often. */
    cursorInterval: 66,
    maxNameLength: 24,
  },
  codec: {
    /** Side of a chunk. */
    chunk: 32,
    /** Largest grid side a decoder accepts. */
    maxSide: 4_096,
  },
} as const;
