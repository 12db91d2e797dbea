/** The part of `DEFAULTS` about how organisms live, and how planters hear of it. */
export const LIFE_DEFAULTS = {
  life: {
    /** Ticks between two steps of an organism that grows, and of one that heals. */
    birth: 3,
    healing: 2,
    /** Ticks between two steps of an organism that expresses a relative. */
    expressing: 3,
    /** Share of the organisms that may express a relative at once, while somebody watches. */
    liveliness: 0.1,
    /** Seconds after which organisms depart from a busy room; 0: never. */
    lifetime: 0,
    /** Largest change of an RGBA8 value between steps that still counts as rest. */
    restLevel: 3,
    /** Steps of rest after which an organism sleeps. */
    restSteps: 8,
    /** Steps for which newly freed ground keeps an organism awake; halved each further time. */
    wakingSteps: 32,
    /** Times that free ground alone may wake it, until a stroke or a death resets the count. */
    maxWakings: 4,
    /** Share of its former places with which a wounded organism at rest counts as healed. */
    healedShare: 0.9,
    /** While organisms are protected: how long the stroke that wounds one may go on; seconds. */
    woundSeconds: 1,
    /** Steps in which an organism's latent moves over to that of what it turns into. */
    transformSteps: 10,
    /** Kinds that an organism has been, remembered at most. */
    maxFormer: 8,
    /** How long a stroke may pause and still go on as the same wound; seconds. */
    strokeSeconds: 60,
  },
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
  /** Which organisms depart when a full room makes space; see server/world/choose-departing.ts. */
  departure: {
    /** How long a departing organism dissolves; seconds. */
    dissolveSeconds: 8,
    /** How long its planter can plant it again after that; seconds. */
    renewSeconds: 60,
    /** Organisms younger than this depart only if all are; seconds. */
    protectedSeconds: 60,
    /** The gardener may remove resting organisms whose planter has been away this long; seconds. */
    unattendedSeconds: 600,
    /** Organisms that dissolve at once; for one more, the one nearest its end goes at once. */
    maxDissolving: 8,
    /** Departed organisms of a room that can still be planted again. */
    maxDeparted: 256,
    /** A room is busy, so that lifetimes end, with more than this share of its maximum, */
    busyShare: 0.5,
    /** and one organism departs this often; seconds. */
    outlivedSeconds: 3,
  },
  /** What a room remembers of its dead; see server/world/lineage.ts. */
  lineage: {
    /** Dead organisms; more are forgotten, */
    most: 1_500,
    /** as many at a time as this. */
    slack: 64,
    /** A family tree shows this much of what has lived; hours. */
    hours: 24,
  },
} as const;
