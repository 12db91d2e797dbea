import { CLUSTER_DEFAULTS } from './cluster-defaults.ts';
import { type LanguageCode, SOURCE_LANGUAGE } from './languages.ts';
import { PAGE_DEFAULTS } from './page-defaults.ts';

/** How organisms live, unless a room's settings say otherwise. */
const LIFE = {
  /** Ticks between two steps of an organism that grows, and of one that heals. */
  birth: 3,
  healing: 2,
  /** Ticks between two steps of an organism that expresses a relative. */
  expressing: 3,
  /** Share of the organisms that may express a relative at once, while somebody watches. */
  liveliness: 0.1,
  /** Seconds after which organisms depart from a busy room; 0: never. */
  lifetime: 0,
} as const;

/**
 * Defaults of rooms, settings and limits, and the numbers by which the server and its pages work.
 * Those that pages know too are in page-defaults.ts.
 * Times are in milliseconds unless a name says otherwise; lengths are in cells.
 */
export const DEFAULTS = {
  ...PAGE_DEFAULTS,
  ...CLUSTER_DEFAULTS,
  room: {
    ...PAGE_DEFAULTS.room,
    /** The shape of most walls. */
    width: 336,
    height: 192,
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
    /** Walls that may show the room at once; they do not count towards the capacity. */
    maxWalls: 16,
    /** Visitors of a view-only link at once; they do not count towards the capacity either. */
    maxSpectators: 200,
  },
  /**
   * Costs of actions; server/settings/server-types.ts explains each number. Calm use never runs out:
   * a seed every two seconds and strokes of normal size refill in between.
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
    /** Most time to refine a drawing, and for all that wait, ms. */
    refining: 1_000,
    refiningAll: 3_500,
    /** Drawings waiting for the encoder. */
    maxDrawings: 32,
    /** Time that the encoder works before it yields, ms. */
    slice: 2,
  },
  net: {
    ...PAGE_DEFAULTS.net,
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
    /** Time that a server which ends leaves its connections to close, before it cuts them. */
    closeGrace: 2_000,
    /** Interval of the room's pace messages. */
    heartbeat: 1_000,
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
  },
  attract: {
    ...PAGE_DEFAULTS.attract,
    /** How long a page counts as busy after its visitor last did something in an open panel. */
    busyFor: 180_000,
  },
  /** Default settings of a room; more of them are in `room` and `energy`. */
  roomSettings: {
    maxRadius: PAGE_DEFAULTS.stroke.maxRadius,
    /** Seconds between two seeds of one participant. */
    cooldown: 0,
    /** Seconds after a wound in which nobody can wound the same organism again; 0 for none. */
    protect: 0,
    /** Whether visitors may turn others' organisms into something else. */
    transformOthers: false,
    /** Ticks between two steps of an organism that grows, and of one that heals. */
    birth: LIFE.birth,
    healing: LIFE.healing,
    /** Share of the organisms that may express a relative at once. */
    liveliness: LIFE.liveliness,
    /** Seconds after which organisms depart from a busy room; 0: never. */
    lifetime: LIFE.lifetime,
    /** Whether a day begins with heirs of those that lived before it. */
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
  /** When the share that may express changes; see server/realtime/policy/liveliness.ts. */
  liveliness: {
    /** Of the host's share, while the room is slow. */
    slowShare: 0.5,
    /** Time that a room must be slow, or no longer slow, before that counts. */
    slowAfter: 5_000,
    quickAfter: 30_000,
    /** Time without anybody watching until none expresses any more. */
    unwatchedAfter: 10_000,
  },
  /** How planters are told what others do to their organisms. */
  affected: {
    /** Time for which events are gathered into one message. */
    gather: 2_000,
    /** Least time between two messages to one planter. */
    interval: 10_000,
    /** Kept per planter: changes of their organisms, and people per change. */
    maxChanges: 32,
    maxPeople: 20,
    /** Wounded organisms of a room that are watched. */
    maxWounded: 1_024,
  },
  /** Energy of newcomers; see server/realtime/sessions/newcomer-energy.ts. */
  newcomers: {
    /** Seconds until a newcomer's energy is restored if nothing refills it. */
    renewedWithin: 3_600,
    /** A device also shares its address's energy until its mark is this old; seconds. */
    trustedAfter: 3_600,
    /** Devices and addresses remembered per room. */
    remembered: 10_000,
  },
  /**
   * How much clients may send, counted in points, cells and bytes, not in packets;
   * server/settings/server-types.ts says what each number means. A museum's phones share one
   * address: limits of addresses are wide, those of connections narrow.
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
  /** How fast newcomers without a device mark get in at an address from which one was banned. */
  bans: {
    /** One in this many seconds, */
    unmarkedSeconds: 5,
    /** for this many seconds. */
    slowedSeconds: 600,
  },
  /** Drawings that wait for the host's yes. */
  drawings: {
    /** Waiting drawings, of all participants of a room and of one. */
    maxWaiting: 60,
    maxWaitingEach: 3,
    /** Time after which nobody has looked. */
    expires: 600_000,
    /** Time within which a page that reconnects has sent its waiting drawing again. */
    sentAgain: 3_000,
    /** Time for an extension's answer about a drawing. */
    answer: 5_000,
  },
  stream: {
    /** Unacknowledged frames per viewer before further ones are skipped. */
    maxFramesInFlight: 2,
    /** A frame is sent at least this often, so that pages see the room tick. */
    heartbeat: 1_000,
    /** Margin around a viewer's viewport that is sent too, cells. */
    margin: 16,
    /** Bytes per frame that refine a coarse first picture. */
    refineBytes: 16_384,
    /**
     * A viewer that missed deltas of a chunk gets them up to this size; above it, the whole chunk.
     */
    missedBytes: 1_200,
    /**
     * From this many viewers on, all but those at full quality get events every second tick.
     */
    crowd: 100,
    /** Viewers from which on phones get every second tick; below the second, every tick again. */
    halveFrom: 500,
    halveUntil: 400,
    /** Initial tier of a viewer. */
    firstTier: 'phone',
    quality: {
      /** Interval of tier decisions. */
      window: 2_000,
      /** Share of skipped frames above which a viewer's tier is lowered. */
      skippedShare: 0.2,
      /** A slower acknowledgement means a slow connection. */
      slowAck: 300,
      /** Time that a connection must be fast before a higher tier is tried. */
      patience: 4_000,
      maxPatience: 120_000,
    },
    /** How long the place of a disconnected participant is reserved. */
    grace: 60_000,
    /** How long a restarted room holds the places of those who were present for them alone. */
    back: 10_000,
    /** Participants who have done nothing for this long give up their place to those who wait. */
    idleYields: 120_000,
    /** Pages that may queue for a place in a full room. */
    maxWaiting: 1_000,
  },
  store: {
    /** Interval of the planes' checksum in the journal while something changes, ticks. */
    markTicks: 15,
    /** The same while nothing changes. */
    idleMarkTicks: 900,
    /** Stepped cells after which a recent snapshot is due; bounds the time of a restart. */
    snapshotCells: 3_500_000,
    /** Minimum time between two of these. */
    snapshotLeast: 10_000,
    /** After this many times `snapshotLeast`, a changed room is stored; undo starts there. */
    snapshotStored: 6,
    /** A snapshot is due after this time in any case, because recovery replays every tick. */
    snapshotIdle: 3_600_000,
    /** Snapshots kept: the latest, and one for each of the last minutes, hours and days. */
    keepLatest: 3,
    /** Undo starts from these. */
    keepMinutes: 12,
    keepHours: 6,
    keepDays: 7,
    /** Kept snapshots from before the host changed a room as a whole. */
    keepBefore: 6,
    /** Named snapshots, at most. */
    maxNamed: 24,
    /** Written for a room's snapshots and journal; above it the oldest go. Bytes. */
    maxBytes: 1_073_741_824,
    /** Delay before a failed write is retried. */
    retry: 5_000,
    /** Free space of the disk below which nothing is written, bytes. */
    reserve: 134_217_728,
  },
  /** Delays after wrong host tokens; see server/host/host-sessions.ts. */
  login: {
    /** Wrong tokens per address without a delay. */
    free: 5,
    /** First delay; it doubles each time. */
    firstDelay: 2_000,
    maxDelay: 600_000,
    /** Time after the last wrong token of an address until all of them are forgotten. */
    forget: 3_600_000,
    /** Wrong tokens of all addresses within `window` before every address that has failed is delayed. */
    allFree: 50,
    window: 600_000,
    /** Addresses remembered. */
    maxAddresses: 10_000,
  },
  /** How long a host stays signed in. */
  session: {
    idle: 3_600_000,
    life: 43_200_000,
    /** Sessions at once; the oldest ends for one more. */
    most: 32,
  },
  host: {
    /** Largest request from the host page, bytes. */
    maxBodyBytes: 16_384,
    /** Time-lapse films: frames per second, minimum side in pixels, and finished films kept. */
    filmRate: 15,
    filmSide: 480,
    filmsKept: 4,
    /** Default length of a film, seconds. */
    filmSeconds: 20,
    /** How long walls show a film or a close-up after the host last asked for it. */
    wallTimes: { film: 3_600_000, closeUp: 180_000 },
    /** Statistics: how many hours and days are kept. */
    countedHours: 840,
    countedDays: 1_100,
    /** Rooms per server, open or closed. */
    maxRooms: 32,
  },
  operations: {
    /** Folder of the checkpoint of rooms that are not stored yet. */
    checkpoint: 'checkpoints/organisms',
  },
} as const;
