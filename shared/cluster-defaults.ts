/** The part of `DEFAULTS` for clusters, in which several processes share rooms. */
export const CLUSTER_DEFAULTS = {
  cluster: {
    /** Time from a lease's last renewal to its end, in ms. */
    lease: 3_000,
    /** Interval of lease renewals, in ms. */
    renewal: 1_000,
    /** How long a leader trusts its lease after it sent the last successful renewal, in ms. */
    trusted: 2_000,
    /**
     * How long a new leader waits before its first tick, in ms. The delay starts when it saw the
     * previous leader's last renewal or, if it saw none, when it acquired the lease. At the end of
     * the delay the previous leader has stopped itself, whatever Valkey's clock says.
     */
    firstTickDelay: 2_200,
    /** Interval of attempts to acquire a lease, in ms. */
    attempt: 250,
    /** Delay before another attempt if the room could not be opened, in ms. */
    failed: 5_000,
    /** Delay before another attempt if Valkey refused the room's writes or its lease, in ms. */
    refused: 30_000,
    /** Interval at which each server checks which rooms exist, in ms. */
    plans: 1_000,
    /** How long a command may stay unanswered before it counts as failed, in ms. */
    answer: 1_000,
    /** Delay before a failed write is retried, in ms. */
    writeRetry: 100,
    /** How long a room waits for the server that it was given to, in ms. */
    offer: 1_500,
    /** Interval of load reports, in ms. A server without a report for three intervals is gone. */
    report: 1_000,
    /** Length of the period over which loads are averaged, in ms. */
    loadAverage: 10_000,
    /** Minimum number of awake cells that a server must run before it gives rooms away. */
    spreadFrom: 50_000,
    /**
     * Maximum load of either server after a room was given away, as a share of the load that the
     * giving server had before.
     */
    spreadShare: 0.75,
    /** How long a server must have been too busy before it gives a room away, in ms. */
    spreadAfter: 30_000,
    /** How long a draining server gives rooms only to servers that have a replica, in ms. */
    drainUnfollowed: 10_000,
    /**
     * How long a draining server waits before it takes back a room that no other server took, in
     * ms.
     */
    takeBack: 10_000,
    /**
     * Delay before a draining server offers a room again that no other server took, in ms. It
     * doubles each time.
     */
    drainAgain: 30_000,
    /** Maximum time between two offers of a room, in ms. */
    drainAgainMost: 480_000,
    /** Time between the nightly restarts of two servers of a cluster, in ms. */
    restartApart: 180_000,
    /** Maximum number of other servers' rooms that a server replicates. */
    followed: 8,
    /** Interval at which replicated rooms are updated, in ms. */
    follow: 200,
    /** Maximum number of ticks that a replica replays at a time. */
    followTicks: 30,
    /** How many ticks a replica may lag behind the room's latest snapshot before it is not used. */
    followBehind: 300,
    /** Delay before a failed replication is retried, in ms. */
    followRetry: 10_000,
    /** Maximum size of a room's journal records in Valkey, in bytes. */
    roomBytes: 268_435_456,
    /** Maximum size of a room's snapshots, in bytes. Above it, the oldest days are deleted. */
    snapshotBytes: 201_326_592,
    /** Maximum number of bytes that one Valkey command writes. */
    partBytes: 1_000_000,
    /** How a gateway that shuts down moves its pages to other gateways. */
    moving: {
      /** How long it takes until all pages are notified, in ms. */
      time: 2_000,
      /** Time between the notifications of two pages, in ms. */
      every: 20,
    },
    /** Sessions of a gateway's clients in rooms of other servers. */
    sessions: {
      /** Interval of heartbeats between gateway and leader, in ms. */
      beat: 1_000,
      /** Interval of heartbeats in the time before a new leader may show the room, in ms. */
      begin: 100,
      /** How long a server may send no heartbeat before it counts as gone, in ms. */
      silence: 3_000,
      /** Interval at which clients' changed views are reported, in ms. */
      look: 200,
      /** Minimum time between two attempts to connect to a leader, in ms. */
      again: 500,
      /** Interval at which rooms without connections are closed, in ms. */
      idle: 30_000,
    },
    /** Limits per IP address, shared by all servers. */
    limits: {
      /** Interval of reports to the other servers, in ms. */
      every: 500,
      /**
       * How long a server may send no report before its connections are no longer counted, in ms.
       */
      silence: 3_000,
      /**
       * Minimum share of `connectionsPerAddress` at which an address's connections are reported.
       */
      tellFrom: 0.05,
      /** Maximum number of addresses in a report. */
      most: 20_000,
    },
    /** HTTP requests from pages that another server answers. */
    requests: {
      /** How long a request may receive no part of its answer before it has failed, in ms. */
      patience: 10_000,
      /** Interval of messages that report that a request is still being answered, in ms. */
      beat: 2_500,
      /** How long the other side may take no data before a server stops answering, in ms. */
      stall: 60_000,
      /** Maximum number of bytes of an answer per message. */
      part: 262_144,
      /** Maximum number of unconfirmed messages per answer. */
      window: 4,
      /** Maximum number of requests that a server has passed on, or answers for others. */
      most: 64,
      /** Maximum number of requests that a server has passed on for one address. */
      mostEach: 16,
    },
    /** Messages between servers. */
    bus: {
      /** Interval of messages that a server sends to itself to check its connection, in ms. */
      beat: 500,
      /** Number of consecutive missed messages after which a connection is closed. */
      missedBeats: 3,
      /** Maximum number of bytes that may wait to be sent. */
      backlog: 33_554_432,
      /** Delay before a lost connection is retried, in ms. */
      redial: 100,
    },
    /** Frames of a room for gateways that do not run it. */
    frames: {
      /** Maximum time between two messages in which a gateway lists the chunks it needs, in ms. */
      beat: 1_000,
      /** How long a gateway may send no message before it counts as gone, in ms. */
      silence: 3_500,
      /** Delay before a gateway reports a change of its needs, in ms. */
      wantsDelay: 25,
      /** Minimum time between two requests for all cells of a channel, in ms. */
      askPause: 250,
      /** Maximum number of gateways with viewers of one room. */
      maxGateways: 256,
    },
  },
} as const;
