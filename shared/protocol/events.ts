/** The messages that the server sends, each with its schema, by Socket.IO event name. */
import * as v from 'valibot';
import { between, count, drawingMode, finite, id, size } from '../common-schemas.ts';
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
import { MAX_GENOMES_ASKED } from './commands.ts';
import { packedGenomes } from './genomes.ts';
import { packedPointer } from './pointers.ts';
import { NOTICES, REASONS } from './reasons.ts';

const reason = v.picklist(REASONS);
const notice = v.picklist(NOTICES);
const amount = v.pipe(finite, v.minValue(0));

/**
 * A participant's current energy (`level`), and the values from which the client computes how the
 * energy refills and what actions cost.
 */
const energy = v.object({
  level: amount,
  capacity: amount,
  refillPerSecond: amount,
  plant: amount,
  damagePerCell: amount,
});

/**
 * The fields that the events `welcome` and `wall` share: everything about a room that a client
 * needs before the first frame.
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
    /** Maximum number of times per second that a large area may flash. If absent, 3. */
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
     * Gallery indices of the creatures to offer to visitors first, in this order. If absent,
     * visitors are offered the whole gallery.
     */
    featured: v.optional(v.array(count)),
    /** Gallery indices of the creatures that are not suitable for everybody. */
    unsuitable: v.optional(v.array(count)),
    /** The gallery's pictures on one sheet: `columns` tiles per row, each side×side pixels. */
    sheet: v.object({ url: v.string(), columns: size }),
    /**
     * URL of the latent map: a JSON list in gallery order that contains the coordinates, 0…1, of
     * each featured creature, and null for each other creature. With `?whole`, the list contains
     * the coordinates of all creatures.
     */
    map: v.optional(v.string()),
    /** Whether visitors can transform this checkpoint's organisms. If absent, they cannot. */
    transforms: v.optional(v.boolean()),
    /**
     * Kind of drawings from which the checkpoint can grow organisms: 'ink' (white ink) or 'colour'.
     * If absent, the checkpoint cannot grow drawings.
     */
    draws: v.optional(v.picklist(['ink', 'colour'])),
    /**
     * URL of the checkpoint's painter, a net that draws cells as pixels (see shared/painter). If
     * absent, the checkpoint has no painter.
     */
    painter: v.optional(v.string()),
  }),
  engine: v.object({ name: v.string(), device: v.string() }),
  organisms: v.array(organismView),
  participants: v.array(participantView),
};

/**
 * Fields of the event `welcome` for a participant, and of the message `seated` for a ring (one
 * person at a touch table).
 */
const seated = v.object({
  you: participantView,
  /**
   * Token with which the next `join` resumes the participant's seat. It can be used once, within a
   * limited time.
   */
  resume: v.string(),
  /**
   * A new device mark (signed bytes that identify the browser), if the device had none. The device
   * sends this mark with each later join.
   */
  mark: v.optional(v.string()),
  energy,
  /** The seeds in the participant's hand, oldest first. */
  hand: v.optional(v.array(seedView), []),
});

/**
 * Reports that a command was executed. The answer to a cross or a drawing contains a seed. The
 * answer to a preview contains a film.
 */
const accepted = v.object({
  id: count,
  seed: v.optional(seedView),
  /** The organism's seed as a token. Present only in the answer to `keep`. */
  token: v.optional(v.string()),
  /**
   * URL of the page on which visitors can grow the token at home. If absent, `/keep` on this
   * server.
   */
  page: v.optional(v.string()),
  /**
   * The growth of an organism, from the seed to the grown organism, as a strip of `frames` pictures
   * of side×side pixels each.
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
 * Reports that a command had no effect, and why. The command's id is absent if the message with the
 * command could not be parsed.
 */
const rejected = v.object({
  id: v.optional(count),
  reason,
  detail: v.optional(v.string()),
  energy: v.optional(amount),
});

/**
 * Events that a touch table receives separately for each of its rings (the people who use it). All
 * other events are sent to a table only once.
 */
export const RING_EVENTS = {
  /** The ring (one person at the table) has been opened. */
  seated,
  /** The ring (one person at the table) has been closed, or could not be opened. */
  left: v.object({ reason }),
  ...{ accepted, rejected, energy },
} as const;

export type RingEventName = keyof typeof RING_EVENTS;
export type RingEvent<N extends RingEventName> = v.InferOutput<(typeof RING_EVENTS)[N]>;

export const EVENTS = {
  /** Answer to the join of a participant. */
  welcome: v.object({ ...opening, ...seated.entries }),
  /**
   * An event for one ring (one person) of this touch table. `RING_EVENTS` contains the schema of
   * each `message`.
   */
  ring: v.object({
    ring: ringNumber,
    name: v.picklist(Object.keys(RING_EVENTS) as RingEventName[]),
    message: v.unknown(),
  }),
  /** Answer to the join of a wall, a table, a spectator, or the live picture on the host's page. */
  wall: v.object({
    ...opening,
    /**
     * URL at which phones can reach the server, such as http://192.168.1.20:8080; '' if there is no
     * network.
     */
    origin: v.string(),
    /**
     * Identifiers of the page builds that are being served (see shared/build.ts); '' if unknown.
     */
    build: v.string(),
  }),
  /**
   * The room is full, so this page waits in a queue behind `ahead` other pages. When its turn
   * comes, the server lets it join. If the page has to connect again, the token `resume` restores
   * its position in the queue.
   */
  waiting: v.object({ ahead: count, resume: v.optional(v.string()) }),
  /** Changes of the room's picture, in the encoding of codec/frame.ts. */
  frame: v.instance(Uint8Array),
  /** Events in the lives of organisms during one tick. */
  life: v.object({ tick: count, events: v.array(lifeEvent) }),
  /**
   * Changes that others have made to this participant's organisms, collected over a short time.
   * Each change names the first person who made it (`by`) and the number of `others`. Departures
   * are included, although nobody caused them.
   */
  affected: v.object({
    organisms: v.array(
      v.object({
        ...{ id, kind: v.string(), how, by: planter, others: count },
        /**
         * Name of the creature into which the organism was transformed, or that was grafted onto
         * it; '' if the creature has no name.
         */
        into: v.optional(v.string()),
        /** Number of seconds for which this participant can still renew the departing organism. */
        secondsLeft: v.optional(amount),
      }),
    ),
  }),
  /** Participants who have joined, and ids of participants who have left. */
  people: v.object({ joined: v.array(participantView), left: v.array(id) }),
  /**
   * The genomes that cells of organisms read. Pages need them to draw with the painter (see
   * shared/painter).
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
   * Another participant shows where one of their organisms is. The organism glows briefly in that
   * participant's hue.
   */
  beacon: v.object({ organism: id, hue: v.number() }),
  /** A position, in cells, at which the host asks everybody to look. */
  spotlight: v.object({ x: v.number(), y: v.number() }),
  /**
   * The position, in cells, that walls show in a close-up. If absent, walls show the whole room.
   */
  closeUp: v.object({ at: v.optional(v.object({ x: v.number(), y: v.number() })) }),
  /** A film that walls show instead of the room. If absent, walls show the room. */
  film: v.object({
    film: v.optional(
      v.object({
        /** Id of the film. A wall uses it to fetch the film's pictures (`FILES.wallFrame`). */
        id: v.string(),
        frames: size,
        /** Index of the picture with which the film starts. */
        frame: count,
        /** Pictures per second; 0 if the film is paused. */
        speed: amount,
        /**
         * Unix times of the film's first picture (null if unknown) and of its last picture, in ms.
         */
        from: v.nullable(finite),
        until: finite,
        /**
         * Times at which some of the pictures were taken. Times between them are interpolated. If
         * absent, all pictures are equally far apart in time.
         */
        times: v.optional(v.array(v.object({ frame: count, at: finite }))),
        /** Time zone of the server, such as 'Europe/Copenhagen'. */
        zone: v.pipe(v.string(), v.maxLength(64)),
      }),
    ),
  }),
  /**
   * The area, in cells, that the followed participant sees. If the area is absent, this page no
   * longer follows anybody.
   */
  view: v.object({
    participant: id,
    area: v.optional(v.object({ x: finite, y: finite, width: finite, height: finite })),
  }),
  /** Number of participants who follow this participant's view. */
  followers: v.object({ count }),
  ...{ accepted, rejected },
  /** The host's settings. Sent after each successful join, and after each change. */
  settings: v.object({
    /** Whether pages show participants' names. */
    names: v.boolean(),
    /** Whether the room is paused, so that visitors can only watch. */
    paused: v.boolean(),
    /** Maximum radius of a stroke, in cells. */
    maxRadius: amount,
    /**
     * Strength of the water effect, which bends the picture, as a multiple of the usual strength.
     * If absent, 0.
     */
    water: v.optional(between(0, 2)),
    /** Minimum time between two plantings by one participant, in seconds. */
    cooldown: amount,
    /** Whether walls show captions. */
    captions: v.boolean(),
    /** Languages of the room. The captions on walls alternate between them. */
    languages: v.array(v.string()),
    /** Maximum number of close-ups that walls show per minute. If absent, walls show none. */
    closeUps: v.optional(amount),
    attract: v.object({ on: v.boolean(), after: amount }),
    /** Whether drawings become seeds: immediately, after the host's approval, or never. */
    drawings: drawingMode,
    /** Whether visitors can plant seeds from keepsakes. */
    tokens: v.boolean(),
    /** Whether programs can plant their own latents. */
    latents: v.boolean(),
    /** Whether visitors may transform other participants' organisms. If absent, they may not. */
    transformOthers: v.optional(v.boolean()),
    /** Whether visitors may graft onto other participants' organisms. If absent, they may not. */
    graftOthers: v.optional(v.boolean()),
    /** Whether visitors are offered the whole gallery. */
    wholeGallery: v.optional(v.boolean()),
    /** Gallery indices of the creatures that visitors may not use. If absent, there are none. */
    hidden: v.optional(v.array(count)),
    /**
     * Gallery indices of the creatures to offer to visitors before all others. If absent, there are
     * none.
     */
    first: v.optional(v.array(count)),
    /** The host's text about the exhibition, and the credits. If absent, there is no such text. */
    ...{ exhibition: v.optional(v.string()), credits: v.optional(v.string()) },
    /** The host's message to everybody in the room. If absent, there is no message. */
    message: v.optional(v.string()),
    /** Path of the exhibition's logo. If absent, the exhibition has no logo. */
    logo: v.optional(v.string()),
    /** Whether walls are dimmed, because it is outside the opening hours. */
    dim: v.boolean(),
    /** Whether the room's day is ending. Its organisms then dissolve, and nobody may act. */
    farewell: v.optional(v.boolean()),
    /** Whether walls show the family tree of the day that is ending. */
    tree: v.optional(v.boolean()),
  }),
  /** The participant's energy and costs. Sent when the host has changed the costs. */
  energy,
  /**
   * A notice for this participant. Unlike `rejected`, it does not mean that a command was refused.
   */
  notice: v.object({ notice }),
  /**
   * The room's configured and actual tick rate, and whether the room is falling behind (`slow`).
   */
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
