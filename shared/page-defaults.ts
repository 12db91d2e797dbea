/** The defaults that pages know too; kept apart so that a page carries no others. */
export const PAGE_DEFAULTS = {
  room: {
    width: 256,
    height: 256,
    /** Ticks per second, 1…60. */
    tickRate: 15,
    /** Most flashes a second of a part of the picture: 3 (WCAG 2.3.1) or 2. */
    flashLimit: 3 as 2 | 3,
    /** Organisms that may live at once. */
    maxOrganisms: 256,
    /** Participants that may be in the room at once. */
    capacity: 200,
    /** Commands of one participant that may wait for the next tick. */
    maxQueuedPerParticipant: 32,
    /** Commands of all participants that may wait for the next tick. */
    maxQueued: 2_000,
    /** Seeds in a participant's hand; the oldest is dropped. */
    maxSeedsInHand: 8,
    /** Walls that may show the room at once; they do not count towards the capacity. */
    maxWalls: 16,
  },
  stroke: {
    minRadius: 0.5,
    maxRadius: 12,
    maxPoints: 64,
    /** Longest stroke message, in cells. */
    maxLength: 512,
  },
  /**
   * Costs of actions; server/settings/number-keys.ts explains each number. Calm use never runs out:
   * a seed every two seconds and strokes of normal size refill in between.
   */
  energy: {
    capacity: 100,
    newcomer: 64,
    refillPerSecond: 8,
    plant: 8,
    damagePerCell: 0.005,
  },
  nursery: {
    /** Bytes of a drawing: RGBA of 60×60. */
    maxDrawing: 14_400,
    /** Previews grown at once. */
    growing: 8,
    /** Waiting previews, of all rooms and of one participant. */
    maxWaiting: 64,
    maxWaitingEach: 4,
    /** Cached previews; the least recently used ones are dropped. */
    films: 256,
    /** Pictures in a preview, at most. */
    frames: 24,
    /**
     * Previews stop growing this long before the next tick, ms: the most by which they can delay
     * it.
     */
    reserve: 8,
    /** Without idle time, one preview step still runs every this many ticks. */
    patience: 3,
    /** Drawings waiting for the encoder. */
    maxDrawings: 32,
    /** Time that the encoder works before it yields, ms. */
    slice: 2,
  },
  net: {
    port: 8080,
    /** Largest inbound message, bytes. */
    maxMessageBytes: 16_384,
    /**
     * Each WebSocket frame counts as at least this many bytes, because handling it has a fixed
     * cost.
     */
    minFrameBytes: 64,
    /** Fragments per message. */
    maxFragments: 32,
    /** Network chunks that one frame may arrive in. */
    maxFramePieces: 1_024,
    /**
     * An HTTP response is ended if no part of it is sent within this time. Files are one part: the
     * largest has 0.9 MB.
     */
    readTimeout: 120_000,
    /** A connection that has not joined within this time is closed. */
    joinTimeout: 10_000,
    /** Interval of the room's pace messages. */
    heartbeat: 1_000,
    /** Interval of cursor messages. */
    cursorInterval: 66,
    /**
     * With more people than this the interval grows in proportion, so that traffic stays bounded.
     */
    cursorPeople: 250,
    /**
     * Interval and timeout of pings. A server that lost power closes no connections, so clients
     * must notice quickly.
     */
    pingInterval: 5_000,
    pingTimeout: 10_000,
    /** Reconnection delays: first, longest (plus up to half at random), and timeout per attempt. */
    redial: { first: 300, longest: 1_000, attempt: 3_000 },
    maxNameLength: 24,
  },
  /** The automatic gardener, which acts in rooms that nobody uses; times in ms unless noted. */
  attract: {
    /** Seconds without visitor activity before it starts. */
    after: 60,
    /** Its display name, as the planter of its organisms. */
    name: 'The gardener',
    /** Gallery kinds that it plants only when there are no others. */
    avoidedKinds: ['face'] as readonly string[],
    /** Number of organisms that it plants in quick succession at first, */
    initialPlants: 6,
    /** with this delay between two, least and most. */
    plantingDelay: [2_500, 4_500],
    /** Delay between two actions after that, least and most. */
    actionDelay: [7_000, 13_000],
    /** Delay after a refused command. */
    refusalDelay: 15_000,
    /** Delay between two strokes of a cut. */
    strokeInterval: 130,
    /** Time before it may cut the same organism again. */
    recutDelay: 60_000,
    /** Share of a room's maximum of organisms above which it removes unattended ones. */
    thinAbove: 0.9,
  },
  osc: {
    /** Messages sent per second; excess ones are counted and dropped. */
    messagesPerSecond: 400,
    /** Largest datagram: most networks carry this size unfragmented. */
    datagramBytes: 1_400,
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
