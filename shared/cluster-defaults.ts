/** The part of `DEFAULTS` about several processes that share rooms. */
export const CLUSTER_DEFAULTS = {
  cluster: {
    /** A lease ends this long after its last renewal, ms. */
    lease: 3_000,
    /** Time between two renewals, ms. */
    renewal: 1_000,
    /** An owner trusts its lease this long after it sent the last renewal that succeeded, ms. */
    trusted: 2_000,
    /**
     * A new owner's first tick comes this long after it saw the last renewal of the owner before, ms;
     * if it has seen none, after it acquired the lease. The owner before has stopped by then,
     * whatever the clock that ended its lease.
     */
    firstTickDelay: 2_200,
    /** Time between two attempts to acquire a lease, ms. */
    attempt: 250,
    /** The same after the room could not be opened, ms. */
    failed: 5_000,
    /** The same after Valkey has refused a room's writes or its lease, ms. */
    refused: 30_000,
    /** Time between two looks at which rooms there are, ms. */
    plans: 1_000,
    /** A command without an answer for this long has failed, ms. */
    answer: 1_000,
    /** A write that failed is tried again after this time, ms. */
    writeRetry: 100,
    /** A room that is given to a server waits this long for it, ms. */
    offer: 1_500,
    /** Time between two reports of what a server carries, ms. It counts as gone after three. */
    report: 1_000,
    /** Time over which loads are averaged, ms. */
    loadAverage: 10_000,
    /** Cells awake below which a server gives no room away. */
    spreadFrom: 50_000,
    /** The busier of two servers must be left with less than this share of its load. */
    spreadShare: 0.75,
    /** A server must have been too busy for so long before it gives a room away, ms. */
    spreadAfter: 30_000,
    /** A drained server gives a room to one that does not follow it after this time, ms. */
    drainUnfollowed: 10_000,
    /** It takes a room back that nobody has taken after this time, ms. */
    takeBack: 10_000,
    /** It offers that room again after this time, ms; after twice that if nobody takes it again. */
    drainAgain: 30_000,
    /** The longest such time, ms. */
    drainAgainMost: 480_000,
    /** Time between the nightly restarts of two servers, ms. */
    restartApart: 180_000,
    /** Rooms of other servers that a server follows, at most. */
    followed: 8,
    /** Time between two looks at what followed rooms have done, ms. */
    follow: 200,
    /** Ticks that are replayed at a time. */
    followTicks: 30,
    /** A follower that lies this far behind the room's latest snapshot is not used, ticks. */
    followBehind: 300,
    /** A room that could not be followed is tried again after this time, ms. */
    followRetry: 10_000,
    /** Size of a room's records, at most, bytes. */
    roomBytes: 268_435_456,
    /** Size of a room's snapshots above which its oldest days are deleted, bytes. */
    snapshotBytes: 201_326_592,
    /** Bytes that one command writes, at most. */
    partBytes: 1_000_000,
    /** A gateway that ends leads its pages to others. */
    moving: {
      /** Time until the last of them is told, ms. */
      time: 2_000,
      /** Time between two that are told, ms. */
      every: 20,
    },
    /** Connections to one server in a room of another. */
    sessions: {
      /** Time between two messages by which the two hear that the other is there, ms. */
      beat: 1_000,
      /** The same until a new owner may show the room, ms. */
      begin: 100,
      /** A server that is not heard for this long is gone, ms. */
      silence: 3_000,
      /** What a client looks at is told this long after it has changed, ms. */
      look: 200,
      /** A new link is tried again after this time at the earliest, ms. */
      again: 500,
      /** Time between two looks for rooms that nobody is connected to, ms. */
      idle: 30_000,
    },
    /** Limits by address, which all servers count together. */
    limits: {
      /** Time between two reports to the others, ms. */
      every: 500,
      /** A server that reports nothing for this long has no connections, ms. */
      silence: 3_000,
      /** Share of the connections of one address from which others are told how many it has. */
      tellFrom: 0.05,
      /** Addresses in a report, at most. */
      most: 20_000,
    },
    /** Pages' requests that another server answers. */
    requests: {
      /** A request that nobody begins to answer, or goes on answering, for this long has failed, ms. */
      patience: 10_000,
      /** Time between two messages by which a server says that it is still answering one, ms. */
      beat: 2_500,
      /** It answers no more when the other side has taken nothing for this long, ms. */
      stall: 60_000,
      /** Bytes of an answer in one message, at most. */
      part: 262_144,
      /** Messages that the other side has not confirmed, at most. */
      window: 4,
      /** Requests that a server has passed on, or answers for others, at most. */
      most: 64,
      /** Those that it has passed on for one address. */
      mostEach: 16,
    },
    /** Messages between servers. */
    bus: {
      /** Time between two messages by which a server hears that it is connected, ms. */
      beat: 500,
      /** So many in a row that it does not hear end a connection. */
      missedBeats: 3,
      /** Bytes that wait to be sent, at most. */
      backlog: 33_554_432,
      /** Time until a lost connection is tried again, ms. */
      redial: 100,
    },
    /** Frames of a room for servers that do not run it. */
    frames: {
      /** Time between two messages by which a gateway says what it wants, at most, ms. */
      beat: 1_000,
      /** A gateway that says nothing for this long is gone, ms. */
      silence: 3_500,
      /** What a gateway wants may change for so long before it says so, ms. */
      wantsDelay: 25,
      /** Time between two requests for all cells of a channel, at least, ms. */
      askPause: 250,
      /** Gateways with viewers of one room, at most. */
      maxGateways: 256,
    },
  },
} as const;
