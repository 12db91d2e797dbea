/** Schemas of the messages that the server sends, by name of the Socket.IO event. */
import * as v from 'valibot';
import { between, count, drawingMode, finite, id, size } from '../common-schemas.ts';
import { MAX_GENOMES_ASKED } from '../limits.ts';
import {
  flashLimit,
  how,
  lifeEvent,
  organismView,
  participantView,
  planter,
  ringNumber,
  seedView,
  sky,
} from '../vocabulary.ts';
import { packedGenomes } from './genomes.ts';
import { packedPointer } from './pointers.ts';
import { NOTICES, REASONS } from './reasons.ts';

const reason = v.picklist(REASONS);
const notice = v.picklist(NOTICES);
const amount = v.pipe(finite, v.minValue(0));

/**
 * A participant's energy (`level`), its refill rate, and the costs of actions. Between messages,
 * the client computes the energy from these values.
 */
const energy = v.object({
  level: amount,
  capacity: amount,
  refillPerSecond: amount,
  plant: amount,
  damagePerCell: amount,
});

/**
 * Fields of both `welcome` and `wall`: everything about a room that a client needs before the first
 * frame.
 */
const opening = {
  protocol: count,
  room: v.object({
    name: v.string(),
    width: size,
    height: size,
    tickRate: v.number(),
    tick: count,
    maxOrganisms: size,
    /** Maximum number of flashes per second of any large area of the picture. If absent, 3. */
    flashLimit: v.optional(flashLimit),
    sky: v.optional(sky),
  }),
  checkpoint: v.object({
    name: v.string(),
    title: v.string(),
    side: size,
    latentSize: size,
    /** Number of ticks that an organism needs to grow from a seed. */
    growthTicks: count,
    gallery: v.array(v.object({ name: v.string(), kind: v.string() })),
    /**
     * Gallery indices of the creatures to offer to visitors first, in this order. If absent, the
     * whole gallery is offered.
     */
    featured: v.optional(v.array(count)),
    /** Gallery indices of the creatures that are not suitable for everybody. */
    unsuitable: v.optional(v.array(count)),
    /**
     * One picture of all gallery creatures, as tiles: `columns` tiles per row, side×side pixels
     * each.
     */
    sheet: v.object({ url: v.string(), columns: size }),
    /**
     * URL of the latent map: a JSON list with the coordinates (0…1) of each gallery creature, in
     * gallery order; null for creatures that are not featured. With the query `?whole`, all
     * creatures have coordinates.
     */
    map: v.optional(v.string()),
    /** Whether visitors can transform this checkpoint's organisms. If absent, false. */
    transforms: v.optional(v.boolean()),
    /**
     * Kind of drawings that the checkpoint can turn into organisms: black and white (`ink`) or in
     * colour. If absent, none.
     */
    draws: v.optional(v.picklist(['ink', 'colour'])),
    /** URL of the checkpoint's painter (see shared/painter). If absent, the checkpoint has none. */
    painter: v.optional(v.string()),
  }),
  engine: v.object({ name: v.string(), device: v.string() }),
  organisms: v.array(organismView),
  participants: v.array(participantView),
};

/**
 * Fields for a new participant, in the event `welcome` or, for a person at a touch table, in the
 * message `seated`.
 */
const seated = v.object({
  you: participantView,
  /**
   * Token with which the next `join` resumes the participant's seat. A token is valid once, for a
   * limited time.
   */
  resume: v.string(),
  /**
   * A new device mark, which the browser must send with each later join. Absent if the browser
   * already has a mark.
   */
  mark: v.optional(v.string()),
  energy,
  /** The seeds in the participant's hand, oldest first. */
  hand: v.optional(v.array(seedView), []),
});

/**
 * Reports that a command was executed. Contains the new seed after a cross or a drawing, and the
 * film after a preview.
 */
const accepted = v.object({
  id: count,
  seed: v.optional(seedView),
  /** The organism's seed as a token, only in the answer to `keep`. */
  token: v.optional(v.string()),
  /**
   * URL of the page on which visitors can grow the token's creature. If absent, `/keep` on this
   * server.
   */
  page: v.optional(v.string()),
  /**
   * A film of an organism's growth: one PNG with `frames` pictures in a row, side×side pixels each.
   */
  film: v.optional(
    v.object({
      ...{ side: size, frames: size, png: v.instance(Uint8Array) },
      genomes: v.optional(packedGenomes),
    }),
  ),
  energy: v.optional(amount),
});

/**
 * Reports that a command had no effect, and why. `id` is absent if the command could not be parsed.
 */
const rejected = v.object({
  id: v.optional(count),
  reason,
  detail: v.optional(v.string()),
  energy: v.optional(amount),
});

/** Events that a touch table receives separately for each person at the table. */
export const RING_EVENTS = {
  /** A person at the table has got a seat in the room. */
  seated,
  /** A person at the table has lost their seat in the room, or could not get a seat. */
  left: v.object({ reason }),
  ...{ accepted, rejected, energy },
} as const;

export type RingEventName = keyof typeof RING_EVENTS;
export type RingEvent<N extends RingEventName> = v.InferOutput<(typeof RING_EVENTS)[N]>;

export const EVENTS = {
  /** Answer to `join` from a participant. */
  welcome: v.object({ ...opening, ...seated.entries }),
  /**
   * An event for one person at this touch table. `ring` is the number of the person's ring (circle
   * of tools). `RING_EVENTS` contains the schemas of `message`.
   */
  ring: v.object({
    ring: ringNumber,
    name: v.picklist(Object.keys(RING_EVENTS) as RingEventName[]),
    message: v.unknown(),
  }),
  /** Answer to `join` from a wall, a table, a spectator, or the live picture on the host's page. */
  wall: v.object({
    ...opening,
    /**
     * URL at which phones can reach the server, such as http://192.168.1.20:8080; '' if the server
     * has no network.
     */
    origin: v.string(),
    /**
     * Identifiers of the page builds that the server is serving (see shared/build.ts); '' if
     * unknown.
     */
    build: v.string(),
  }),
  /**
   * The room is full, so this page waits in a queue behind `ahead` other pages and joins
   * automatically. If the connection is lost meanwhile, the token `resume` keeps the page's
   * position in the queue.
   */
  waiting: v.object({ ahead: count, resume: v.optional(v.string()) }),
  /** Changes of the room's picture, in the encoding of codec/frame.ts. */
  frame: v.instance(Uint8Array),
  /** Events in the lives of organisms during one tick. */
  life: v.object({ tick: count, events: v.array(lifeEvent) }),
  /**
   * What has recently happened to this participant's organisms: what other people have done to
   * them, and which of them dissolve. Each entry is about one organism and one kind of change
   * (`how`). `by` is the first person who made this change; `others` is the number of other people
   * who made it.
   */
  affected: v.object({
    organisms: v.array(
      v.object({
        ...{ id, kind: v.string(), how, by: planter, others: count },
        /**
         * Name of the creature into which the organism was transformed, or of the grafted creature;
         * '' if the creature has no name.
         */
        into: v.optional(v.string()),
        /** Number of seconds left for this participant to renew the departing organism. */
        secondsLeft: v.optional(amount),
      }),
    ),
  }),
  /** Participants who have joined, and ids of participants who have left. */
  people: v.object({ joined: v.array(participantView), left: v.array(id) }),
  /**
   * The genomes that organisms' cells read. Pages need these genomes to draw the organisms with the
   * painter (see shared/painter).
   */
  genomes: v.object({
    genomes: v.pipe(
      v.array(v.object({ id, ...packedGenomes.entries })),
      v.maxLength(MAX_GENOMES_ASKED),
    ),
  }),
  /** Positions of other participants' pointers, in the encoding of `pointers.ts`. */
  cursors: v.array(packedPointer),
  /**
   * Another participant is showing where one of their organisms is. Pages let the organism glow
   * briefly in that participant's hue.
   */
  beacon: v.object({ organism: id, hue: v.number() }),
  /** A position, in cells, at which the host asks everybody to look. */
  spotlight: v.object({ x: v.number(), y: v.number() }),
  /** Position, in cells, that walls must show close up. If absent, walls show the whole room. */
  closeUp: v.object({ at: v.optional(v.object({ x: v.number(), y: v.number() })) }),
  /** Film that walls must show instead of the room. If absent, walls show the room. */
  film: v.object({
    film: v.optional(
      v.object({
        /** Id of the film, for fetching the film's pictures (`FILES.wallFrame`). */
        id: v.string(),
        frames: size,
        /** Index of the picture with which the film starts. */
        frame: count,
        /** Pictures per second; 0 if the film is paused. */
        speed: amount,
        /**
         * Unix times, in ms, of the film's first picture (`from`; null if unknown) and last picture
         * (`until`).
         */
        from: v.nullable(finite),
        until: finite,
        /**
         * Unix times, in ms, of some of the film's pictures. The times of all other pictures are
         * interpolated. If absent, the pictures are equally far apart in time.
         */
        times: v.optional(v.array(v.object({ frame: count, at: finite }))),
        /** Time zone of the server, such as 'Europe/Copenhagen'. */
        zone: v.pipe(v.string(), v.maxLength(64)),
      }),
    ),
  }),
  /**
   * The area, in cells, that the followed participant sees. If absent, this page no longer follows
   * anybody.
   */
  view: v.object({
    participant: id,
    area: v.optional(v.object({ x: finite, y: finite, width: finite, height: finite })),
  }),
  /** Number of participants who follow this participant's view. */
  followers: v.object({ count }),
  ...{ accepted, rejected },
  /** The host's settings. Sent after each join and after each change. */
  settings: v.object({
    /** Whether pages show participants' names. */
    names: v.boolean(),
    /** If true, visitors can only watch. */
    paused: v.boolean(),
    /** Maximum radius of a stroke, in cells. */
    maxRadius: amount,
    /** Strength of the effect that makes the picture move like water: 1 is normal. If absent, 0. */
    water: v.optional(between(0, 2)),
    /** Minimum time between two plantings by one participant, in seconds. */
    cooldown: amount,
    /** Whether walls show captions. */
    captions: v.boolean(),
    /** Languages of the room. Captions on walls alternate between these languages. */
    languages: v.array(v.string()),
    /** Maximum number of close-ups that walls show per minute. If absent, walls show none. */
    closeUps: v.optional(amount),
    attract: v.object({ on: v.boolean(), after: amount }),
    /** When visitors' drawings become seeds: immediately, after the host's approval, or never. */
    drawings: drawingMode,
    /** Whether visitors can plant seeds from keepsakes. */
    tokens: v.boolean(),
    /** Whether programs can plant their own latents. */
    latents: v.boolean(),
    /** Whether visitors may also transform other participants' organisms. If absent, false. */
    transformOthers: v.optional(v.boolean()),
    /** Whether visitors may also graft onto other participants' organisms. If absent, false. */
    graftOthers: v.optional(v.boolean()),
    /** Whether visitors are offered the whole gallery. */
    wholeGallery: v.optional(v.boolean()),
    /** Gallery indices of creatures that visitors may not plant. If absent, there are none. */
    hidden: v.optional(v.array(count)),
    /** Gallery indices of the creatures offered to visitors first. If absent, there are none. */
    first: v.optional(v.array(count)),
    /** The text about the exhibition, and its credits. Absent if the host has not written them. */
    ...{ exhibition: v.optional(v.string()), credits: v.optional(v.string()) },
    /** The host's message to everybody in the room. */
    message: v.optional(v.string()),
    /** Path of the exhibition's logo. */
    logo: v.optional(v.string()),
    /** Whether walls are dimmed because it is outside the opening hours. */
    dim: v.boolean(),
    /** Whether the room's day is ending: organisms are dissolving, and visitors cannot act. */
    farewell: v.optional(v.boolean()),
    /** Whether walls show the family tree of the day that is ending. */
    tree: v.optional(v.boolean()),
  }),
  /** Sent after the host has changed the costs of actions. */
  energy,
  /** A notice to this participant. A notice does not mean that a command failed. */
  notice: v.object({ notice }),
  /** The room's nominal and actual tick rates, and whether the room is falling behind (`slow`). */
  pace: v.object({
    tickRate: v.number(),
    actual: v.number(),
    slow: v.boolean(),
    awake: count,
    organisms: count,
    sky: v.optional(sky),
  }),
} as const;

export type EventName = keyof typeof EVENTS;
export type Event<N extends EventName> = v.InferOutput<(typeof EVENTS)[N]>;

export function isEventName(name: unknown): name is EventName {
  return typeof name === 'string' && Object.hasOwn(EVENTS, name);
}
