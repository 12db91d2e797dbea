import { type LanguageCode, SOURCE_LANGUAGE } from './languages.ts';

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
    /** Commands of all participants that may wait for the next tick. */
    maxQueued: 2_000,
    /** Seeds a participant can hold in her hand; the oldest falls out. */
    maxSeedsInHand: 8,
    /** Walls that may show the room at once; they take nobody's place. */
    maxWalls: 16,
  },
  /** How a room is set that its host has not touched; more of it is in `room` and `energy`. */
  house: {
    maxRadius: 12,
    /** Seconds between two seeds of one participant. */
    cooldown: 0,
    names: true,
    /** Seconds after which the gardener plays where nobody does. */
    attract: { on: true, after: 60 },
    captions: true,
    languages: [SOURCE_LANGUAGE] as LanguageCode[],
    paused: false,
  },
  life: {
    /** Largest change of an RGBA8 read-out value between steps that still counts as rest. */
    restLevel: 3,
    /** Ticks of rest after which an organism sleeps. */
    restTicks: 8,
    /** Steps that ground which fell free keeps an organism awake, the first time; each further time half as many. */
    stirSteps: 32,
    /** So often ground alone wakes it, until a stroke or a death gives it new cause. */
    maxStirs: 4,
    /** Share of the places it held when it was wounded, with which an organism at rest has healed. */
    healedShare: 0.9,
  },
  /** Who goes when a full room makes room; see server/world/departure.ts. */
  departure: {
    /** What was planted so short a time ago never goes; seconds. */
    protectedSeconds: 60,
    /** The gardener may thin what rests and whose planter has been away for so long; seconds. */
    unattendedSeconds: 600,
  },
  stroke: {
    minRadius: 0.5,
    maxRadius: 12,
    maxPoints: 64,
    /** Longest way of one stroke message, in cells. */
    maxLength: 512,
  },
  /**
   * What actions cost; server/settings/number-keys.ts says what each number means. Calm use never
   * runs out: a seed every two seconds and strokes of normal size refill in between.
   */
  energy: {
    capacity: 100,
    newcomer: 64,
    refillPerSecond: 8,
    plant: 8,
    damagePerCell: 0.005,
  },
  /** What reconnecting brings; see server/realtime/sessions/newcomer-energy.ts. */
  newcomers: {
    /** Where nothing refills, a newcomer's energy comes back after so many seconds. */
    renewedWithin: 3_600,
    /** Until its mark is so many seconds old, a device shares its address's energy too. */
    trustedAfter: 3_600,
    /** Devices and addresses of a room that are remembered. */
    remembered: 10_000,
  },
  /**
   * How much clients may send, counted in points, cells and bytes, not in packets;
   * server/settings/number-keys.ts says what each number means. A museum's phones share one
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
    namesPerSecond: 0.5,
    resyncsPerSecond: 1,
    burstSeconds: 10,
    refusals: 400,
    banSeconds: 30,
    handshakeSeconds: 10,
  },
  nursery: {
    /** Bytes of a drawing: RGBA of 60×60. */
    maxDrawing: 14_400,
    /** Seeds grown for a look at once … */
    growing: 8,
    /** … and those that wait for it, of all rooms and of one participant. */
    maxWaiting: 64,
    maxWaitingEach: 4,
    /** Films kept, the last used ones. */
    films: 256,
    /** Pictures in a film, at most. */
    frames: 24,
    /** What is left of a pause between ticks when growing stops, ms: so much later a tick may begin at worst. */
    reserve: 8,
    /** Where there is no pause, a step of as many cells as one organism has is taken after so many ticks all the same. */
    patience: 3,
    /** Drawings that wait for the encoder. */
    maxDrawings: 32,
    /** The encoder works so long before others have their turn, ms. */
    slice: 2,
  },
  net: {
    port: 8080,
    /** Largest inbound message, bytes. */
    maxMessageBytes: 16_384,
    /** Each WebSocket frame counts as at least so many bytes: the work for one does not depend on its length. */
    minFrameBytes: 64,
    /** Fragments of one message, … */
    maxFragments: 32,
    /** … and pieces that one frame may arrive in, as the network cuts it. */
    maxFramePieces: 1_024,
    /** A connection that has not joined by then is closed. */
    joinTimeout: 10_000,
    /** How a room fares is told so often. */
    heartbeat: 1_000,
    /** Cursors are passed on so often. */
    cursorInterval: 66,
    /** Among more people than these they are passed on as much more rarely: a crowd is told no more a second than they are. */
    cursorPeople: 250,
    /**
     * Each side asks for a sign of life so often, and gives the other up when none has come for so long: a server whose plug was
     * pulled says no goodbye, and whoever has not noticed when it is back comes back late.
     */
    pingInterval: 5_000,
    pingTimeout: 10_000,
    /** How a page dials a server that was lost: the first wait, the longest (and half of it more by chance), an attempt at most. */
    redial: { first: 300, longest: 1_000, attempt: 3_000 },
    maxNameLength: 24,
  },
  stream: {
    /** Frames a viewer may have unacknowledged before the next ones are skipped. */
    maxFramesInFlight: 2,
    /** A frame is sent at least so often, so that pages see the room tick. */
    heartbeat: 1_000,
    /** Places around what a viewer looks at that she is sent as well. */
    margin: 16,
    /** Bytes of a frame that may refine a coarse first picture. */
    refineBytes: 16_384,
    /** One who has missed some deltas of a chunk is sent them all, up to so many bytes; else the whole chunk. */
    missedBytes: 1_200,
    /** From so many viewers on, phones hear what happens together with their frames: in every second tick. */
    crowd: 100,
    /** Tier that viewers begin with. */
    firstTier: 'phone',
    ladder: {
      /** Tiers are judged so often. */
      window: 2_000,
      /** Share of skipped frames above which a viewer gets less. */
      skippedShare: 0.2,
      /** An acknowledgement that takes longer speaks of a slow line. */
      slowAck: 300,
      /** How long a line must have been quick before more is tried. */
      patience: 4_000,
      maxPatience: 120_000,
    },
    /** How long the place of one who has gone is kept for her. */
    grace: 60_000,
    /** How many may wait for a place in a full room. */
    maxWaiting: 1_000,
  },
  store: {
    /** The planes' checksum goes into the journal so often, in ticks, while something changes … */
    markTicks: 15,
    /** … and so often while nothing does. */
    idleMarkTicks: 900,
    /** Cells stepped since the last snapshot after which the next is due: bounds how long a recovery takes … */
    snapshotCells: 5_000_000,
    /** … but not sooner than this, which bounds what is written; */
    snapshotLeast: 10_000,
    /** and after so many times that, it is due if anything has changed. */
    snapshotCalm: 6,
    /** One is due even so after this, ms: whoever comes back does each tick since then again. */
    snapshotIdle: 3_600_000,
    /** Snapshots that are kept: the latest, one for each of the last minutes, of the last hours, and of the last days; */
    keepLatest: 3,
    /** these are what an undo begins from, */
    keepMinutes: 12,
    keepHours: 6,
    keepDays: 7,
    /** of those taken before the host changed a room as a whole, so many, */
    keepBefore: 6,
    /** and of those that she has named, at most so many. */
    maxNamed: 24,
    /** Bytes of a room over which its oldest days go first. */
    maxBytes: 1_073_741_824,
    /** After a failed write the next attempt comes so late. */
    retry: 5_000,
  },
  /** Extensions of the host's, each in a thread of its own. */
  hooks: {
    /** How long one may take to load. */
    loading: 20_000,
    /** An answer to whether something may be done is waited for so long; then it may. */
    answer: 250,
    /** A thread that has not listened for so long, twice over, is started anew … */
    stall: 5_000,
    /** … after this. */
    again: 1_000,
    /** How long one may take to close. */
    closing: 2_000,
    /** So many failures, and one is put aside; each is forgiven after `forgivenAfter` divided by them. */
    failures: 5,
    forgivenAfter: 60_000,
    /** Things told that may wait to be dealt with. */
    backlog: 2_000,
    messagesPerSecond: 5_000,
    linesPerSecond: 10,
    /** Memory that one may take. */
    megabytes: 256,
    /** How a room fares, and its mean colour, is told so often. */
    figures: 500,
  },
  /** How wrong host tokens are slowed down; see server/host/login-throttle.ts. */
  login: {
    /** Wrong tokens of an address before it has to wait … */
    free: 5,
    /** … first so long, then twice as long each time, */
    firstDelay: 2_000,
    maxDelay: 600_000,
    /** and as if nothing had been after so long. */
    forget: 3_600_000,
    /** Wrong tokens of all addresses in `window` before each that was wrong has to wait. */
    allFree: 50,
    window: 600_000,
    /** Addresses that are remembered. */
    maxAddresses: 10_000,
  },
  /** How long a host stays signed in. */
  session: {
    idle: 3_600_000,
    life: 43_200_000,
    /** How long a browser is known in which a host was signed in, ms: for good, as far as browsers keep anything. */
    known: 34_560_000_000,
    /** Sessions at once; the oldest ends for one more. */
    most: 32,
  },
  host: {
    /** Largest call of the host's page, bytes. */
    maxBodyBytes: 16_384,
    /** Films: pictures a second, least side in pixels, and how many that are done are kept. */
    filmRate: 15,
    filmSide: 480,
    filmsKept: 4,
    /** Seconds of a film that nobody has said how long to make. */
    filmSeconds: 20,
    /** What was counted is kept so often; hours that are kept, and days. */
    countEvery: 60_000,
    countedHours: 840,
    countedDays: 1_100,
    /** Rooms that a server takes, open or closed. */
    maxRooms: 32,
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
    /** Messages sent; what is over that is counted and left out. */
    messagesPerSecond: 400,
    /** Longest datagram: one that any network takes in one piece. */
    datagramBytes: 1_400,
    /** Who has planted what came in by OSC. */
    planter: 'The house',
  },
  operations: {
    /** A tick that has not ended after so long will not: the server ends, to be started again. */
    stall: 30_000,
    /** Closing takes no longer than this. */
    closing: 20_000,
    /** File descriptors that connections leave to the rest of the server, beside those in use at the start; */
    reservedDescriptors: 256,
    /** whether there are any left is looked at so often, */
    descriptorLook: 2_000,
    /** and after so many looks in a row without one the server restarts, */
    descriptorFailures: 2,
    /** in one hour at most so often. */
    restartsPerHour: 3,
  },
  codec: {
    /** Side of a chunk. */
    chunk: 32,
    /** Low bits of a colour that a first picture may leave out, to be there sooner. */
    coarseShift: 3,
    /** Deltas of a chunk that are kept for those who have missed some. */
    keptDeltas: 12,
    /** Most places a side that a streamed cell may stand for. */
    maxScale: 8,
  },
} as const;
