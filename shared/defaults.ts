import { CLUSTER_DEFAULTS } from './cluster-defaults.ts';
import { type LanguageCode, SOURCE_LANGUAGE } from './languages.ts';
import { PAGE_DEFAULTS } from './page-defaults.ts';

/** How organisms live, unless a room's settings say otherwise. */
const LIFE = {
  /** Ticks between two steps of a growing organism, and of a healing organism. */
  birth: 3,
  healing: 2,
  /** Ticks between two steps of an organism that expresses a relative. */
  expressing: 3,
  /**
   * Maximum share of organisms that express a relative at any time, as long as somebody watches.
   */
  liveliness: 0.1,
  /** Seconds after which organisms depart from a busy room; 0: never. */
  lifetime: 0,
} as const;

/**
 * Defaults of rooms, settings and limits, and other constants of the server and its pages.
 * Constants that pages also need are in page-defaults.ts. Times are in milliseconds unless a name
 * says otherwise; lengths are in cells.
 */
export const DEFAULTS = {
  ...PAGE_DEFAULTS,
  ...CLUSTER_DEFAULTS,
  room: {
    ...PAGE_DEFAULTS.room,
    /** The shape of most walls. */
    width: 336,
    height: 192,
    /** Maximum number of flashes per second in any part of the picture: 3 (WCAG 2.3.1) or 2. */
    flashLimit: 3 as 2 | 3,
    /** Maximum number of living organisms. */
    maxOrganisms: 256,
    /** Maximum number of participants in the room. */
    capacity: 200,
    /** Maximum number of one participant's commands that wait for the next tick. */
    maxQueuedPerParticipant: 32,
    /** Maximum number of all participants' commands that wait for the next tick. */
    maxQueued: 2_000,
    /** Maximum number of walls that show the room; they do not count towards the capacity. */
    maxWalls: 16,
    /** Maximum number of spectators; they do not count towards the capacity. */
    maxSpectators: 200,
  },
  /**
   * Costs of actions; server/settings/server-types.ts explains each number. Calm use never exhausts
   * the energy, because the refill covers a seed every two seconds and strokes of normal size.
   */
  energy: {
    capacity: 100,
    newcomer: 64,
    refillPerSecond: 8,
    plant: 8,
    damagePerCell: 0.005,
    ...PAGE_DEFAULTS.energy,
  },
  preview: {
    ...PAGE_DEFAULTS.preview,
    /** Maximum number of previews that grow in parallel. */
    growing: 8,
    /** Maximum number of waiting previews, of all rooms and of one participant. */
    maxWaiting: 64,
    maxWaitingEach: 4,
    /** Maximum number of cached previews. Beyond it, the least recently used are dropped. */
    films: 256,
    /** Maximum number of pictures in a preview. */
    frames: 24,
    /** How long before the next tick previews stop growing, so as not to delay it, in ms. */
    reserve: 8,
    /** Number of ticks after which one preview step runs even without idle time. */
    patience: 3,
    /** Maximum time to refine one drawing, and all waiting drawings, in ms. */
    refining: 1_000,
    refiningAll: 3_500,
    /** Maximum number of drawings that wait for the encoder. */
    maxDrawings: 32,
    /** Time that the encoder works before it yields, in ms. */
    slice: 2,
  },
  net: {
    ...PAGE_DEFAULTS.net,
    port: 8080,
    /** Maximum size of an inbound message, in bytes. */
    maxMessageBytes: 16_384,
    /**
     * Minimum number of bytes that a WebSocket frame counts as, because each frame has a fixed
     * cost.
     */
    minFrameBytes: 64,
    /** Maximum number of fragments per message. */
    maxFragments: 32,
    /** Maximum number of network chunks in which one frame may arrive. */
    maxFramePieces: 1_024,
    /**
     * How long an HTTP response may go without sending a part before it is ended. A file is sent as
     * one part; the largest file has 0.9 MB.
     */
    readTimeout: 120_000,
    /** How long a connection may take to join before it is closed. */
    joinTimeout: 10_000,
    /** How long a server that shuts down lets connections close before it cuts them. */
    closeGrace: 2_000,
    /** Interval of the room's pace messages. */
    heartbeat: 1_000,
    /** Number of people above which the cursor interval grows, to limit traffic. */
    cursorPeople: 250,
    /**
     * Interval and timeout of pings. A server that lost power closes no connections, so clients
     * must notice quickly.
     */
    pingInterval: 5_000,
    pingTimeout: 10_000,
  },
  attract: {
    ...PAGE_DEFAULTS.attract,
    /** How long a page counts as busy after its visitor last did something in an open panel. */
    busyFor: 180_000,
  },
  /** Default settings of a room. Further defaults are in `room` and `energy`. */
  roomSettings: {
    maxRadius: PAGE_DEFAULTS.stroke.maxRadius,
    /** Seconds between two seeds of one participant. */
    cooldown: 0,
    /** Seconds after a wound during which nobody can wound the same organism again; 0 for none. */
    protect: 0,
    /** Whether visitors may transform other participants' organisms. */
    transformOthers: false,
    /** Ticks between two steps of a growing organism, and of a healing organism. */
    birth: LIFE.birth,
    healing: LIFE.healing,
    /** Maximum share of organisms that express a relative at any time. */
    liveliness: LIFE.liveliness,
    /** Seconds after which organisms depart from a busy room; 0: never. */
    lifetime: LIFE.lifetime,
    /** Whether a day begins with heirs of the organisms of the day before. */
    generations: false,
    names: true,
    /** The automatic gardener: idle seconds before it starts, and whose organisms it wounds. */
    attract: { on: true, after: 60, wounds: 'own' },
    captions: true,
    languages: [SOURCE_LANGUAGE] as LanguageCode[],
    drawings: 'on',
    tokens: true,
    latents: true,
    wholeGallery: false,
    spectators: true,
    paused: false,
  },
  life: LIFE,
  /** When the expressing share changes; see server/realtime/policy/liveliness.ts. */
  liveliness: {
    /** Factor on the host's share while the room is slow. */
    slowShare: 0.5,
    /** How long a room must be slow, or quick again, before the share changes. */
    slowAfter: 5_000,
    quickAfter: 30_000,
    /** How long nobody must have watched before organisms stop expressing. */
    unwatchedAfter: 10_000,
  },
  /** Notifications to planters about what others do to their organisms. */
  affected: {
    /** Time during which events are gathered into one message. */
    gather: 2_000,
    /** Minimum time between two messages to one planter. */
    interval: 10_000,
    /** Maximum number of stored changes per planter, and maximum number of people per change. */
    maxChanges: 32,
    maxPeople: 20,
    /** Maximum number of wounded organisms that are watched per room. */
    maxWounded: 1_024,
  },
  /** Energy of newcomers; see server/realtime/sessions/newcomer-energy.ts. */
  newcomers: {
    /** Seconds until a newcomer's energy is fully restored if the room's energy does not refill. */
    renewedWithin: 3_600,
    /**
     * How old a device mark must be before it no longer shares the energy of its address, in
     * seconds.
     */
    trustedAfter: 3_600,
    /** Maximum number of devices and addresses remembered per room. */
    remembered: 10_000,
  },
  /**
   * How much clients may send, counted in points, cells and bytes, not in packets;
   * server/settings/server-types.ts says what each number means. A museum's phones share one
   * address, so limits of addresses are wide, and limits of connections are narrow.
   */
  limits: {
    connections: 5_000,
    connectionsPerAddress: 2_000,
    connectsPerSecond: 40,
    connectsAtOnce: 1_500,
    joinsPerSecond: 40,
    joinsAtOnce: 1_500,
    fetchesPerSecond: 500,
    fetchesAtOnce: 20_000,
    bytesPerSecond: 65_536,
    messagesPerSecond: 200,
    framesPerSecond: 20,
    outstandingResponses: 8,
    unreadBytes: 1_048_576,
    cursorsPerSecond: 30,
    strokePointsPerSecond: 1_000,
    commandsPerSecond: 40,
    previewsPerSecond: 4,
    drawingsPerSecond: 0.5,
    beaconsPerSecond: 0.5,
    reportsPerSecond: 0.5,
    namesPerSecond: 0.5,
    resyncsPerSecond: 1,
    burstSeconds: 10,
    refusals: 400,
    banSeconds: 30,
    handshakeSeconds: 10,
  },
  /** After a ban, newcomers without a device mark at the same address are admitted more slowly. */
  bans: {
    /** Seconds between the admissions of two of these newcomers. */
    unmarkedSeconds: 5,
    /** Seconds after the ban during which these newcomers are slowed down. */
    slowedSeconds: 600,
  },
  /** Drawings that wait for the host's approval. */
  drawings: {
    /** Maximum number of waiting drawings, of all participants of a room and of one participant. */
    maxWaiting: 60,
    maxWaitingEach: 3,
    /** How long a drawing waits for the host's decision before it expires. */
    expires: 600_000,
    /** How long to wait for a reconnected page to send its waiting drawing again. */
    sentAgain: 3_000,
    /** Maximum time that an extension may take to answer about a drawing. */
    answer: 5_000,
  },
  stream: {
    /**
     * Maximum number of unacknowledged frames per viewer. At this number, further frames are
     * skipped.
     */
    maxFramesInFlight: 2,
    /** Maximum time between two frames, so that pages see that the room ticks. */
    heartbeat: 1_000,
    /** Width of the margin around a viewer's viewport that is also sent, in cells. */
    margin: 16,
    /** Maximum number of bytes per frame that refine a coarse first picture. */
    refineBytes: 16_384,
    /** Maximum size of missed deltas, in bytes. Above it, the whole chunk is sent instead. */
    missedBytes: 1_200,
    /**
     * Minimum number of viewers at which viewers below full quality get events only every second
     * tick.
     */
    crowd: 100,
    /**
     * Phones get only every second tick once there are `halveFrom` viewers, until there are fewer
     * than `halveUntil`.
     */
    halveFrom: 500,
    halveUntil: 400,
    /** Initial tier of every viewer. */
    firstTier: 'phone',
    quality: {
      /** Interval of tier decisions. */
      window: 2_000,
      /** Share of skipped frames above which a viewer's tier is lowered. */
      skippedShare: 0.2,
      /** Time to acknowledge a frame above which a connection is slow. */
      slowAck: 300,
      /** How long a connection must be fast before a higher tier is tried. */
      patience: 4_000,
      maxPatience: 120_000,
    },
    /** How long the seat of a disconnected participant is reserved. */
    grace: 60_000,
    /** How long a restarted room reserves the seats of its earlier participants. */
    back: 10_000,
    /** Idle time after which participants lose their seat to somebody in the queue. */
    idleYields: 120_000,
    /** Maximum number of pages in the queue for a seat. */
    maxWaiting: 1_000,
  },
  store: {
    /** Interval of the planes' checksum in the journal while something changes, in ticks. */
    markTicks: 15,
    /** Interval of the planes' checksum in the journal while nothing changes, in ticks. */
    idleMarkTicks: 900,
    /**
     * How many cells must have stepped since the last snapshot before a recent snapshot is due.
     * Limits how long a restart takes.
     */
    snapshotCells: 3_500_000,
    /** Minimum time between two recent snapshots. */
    snapshotLeast: 10_000,
    /** Interval of stored snapshots, from which undo starts, in units of `snapshotLeast`. */
    snapshotStored: 6,
    /**
     * Interval of snapshots of an unchanged room. They are needed because recovery replays even
     * idle ticks.
     */
    snapshotIdle: 3_600_000,
    /** Number of latest snapshots that are kept. */
    keepLatest: 3,
    /**
     * One snapshot is kept for each of this many latest minutes, hours and days. Undo starts from
     * the snapshots of the minutes.
     */
    keepMinutes: 12,
    keepHours: 6,
    keepDays: 7,
    /** How many snapshots that were taken before the host changed a whole room are kept. */
    keepBefore: 6,
    /** Maximum number of named snapshots. */
    maxNamed: 24,
    /**
     * Maximum size of snapshots and journal per room, in bytes. Beyond it, the oldest are deleted.
     */
    maxBytes: 1_073_741_824,
    /** Delay before a failed write is retried. */
    retry: 5_000,
    /** Minimum free space on the disk, in bytes. Below it, nothing is written. */
    reserve: 134_217_728,
  },
  /** Delays after wrong host tokens; see server/host/host-sessions.ts. */
  login: {
    /** Number of wrong tokens per address without a delay. */
    free: 5,
    /** First delay. It doubles with each wrong token. */
    firstDelay: 2_000,
    maxDelay: 600_000,
    /** How long after the last wrong token of an address all its wrong tokens are forgotten. */
    forget: 3_600_000,
    /**
     * Maximum number of wrong tokens of all addresses within `window`. Above it, every address with
     * a wrong token is delayed.
     */
    allFree: 50,
    window: 600_000,
    /** Maximum number of remembered addresses. */
    maxAddresses: 10_000,
  },
  /** How long a host stays signed in. */
  session: {
    idle: 3_600_000,
    life: 43_200_000,
    /** Maximum number of sessions. A further session ends the oldest one. */
    most: 32,
  },
  host: {
    /** Maximum size of a request from the host page, in bytes. */
    maxBodyBytes: 16_384,
    /** Time-lapse films: frames per second, minimum side in pixels, finished films kept. */
    filmRate: 15,
    filmSide: 480,
    filmsKept: 4,
    /** Default length of a film, in seconds. */
    filmSeconds: 20,
    /** How long walls show a film or a close-up after the host last asked for it. */
    wallTimes: { film: 3_600_000, closeUp: 180_000 },
    /** Number of hours and days for which statistics are kept. */
    countedHours: 840,
    countedDays: 1_100,
    /** Maximum number of rooms per server, open or closed. */
    maxRooms: 32,
  },
  operations: {
    /** Default folder of the checkpoint of new rooms. */
    checkpoint: 'checkpoints/organisms',
  },
} as const;
