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
 * A participant's energy (`level`), and the costs of their actions. From these, the client computes
 * how the energy refills.
 */
const energy = v.object({
  level: amount,
  capacity: amount,
  refillPerSecond: amount,
  plant: amount,
  damagePerCell: amount,
});

/** Fields of a welcome: everything about a room that a client needs before the first frame. */
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
    /** Gallery indices of the creatures that do not suit everybody. */
    unsuitable: v.optional(v.array(count)),
    /** The gallery's pictures on one sheet: `columns` tiles per row, each side×side pixels. */
    sheet: v.object({ url: v.string(), columns: size }),
    /**
     * URL of the latent map, a JSON list in gallery order: coordinates, 0…1, for a featured
     * creature, and null for any other creature. With `?whole`, the list has coordinates for all
     * creatures.
     */
    map: v.optional(v.string()),
    /** Whether visitors can transform this checkpoint's organisms. If absent, they cannot. */
    transforms: v.optional(v.boolean()),
    /**
     * Kind of drawings that the checkpoint can grow: 'ink' (white ink) or 'colour'. If absent, the
     * checkpoint cannot grow drawings.
     */
    draws: v.optional(v.picklist(['ink', 'colour'])),
    /** URL of the checkpoint's painter (see shared/painter). If absent, there is no painter. */
    painter: v.optional(v.string()),
  }),
  engine: v.object({ name: v.string(), device: v.string() }),
  organisms: v.array(organismView),
  participants: v.array(participantView),
};

/** Fields of the welcome of a participant or of a table's ring. */
const seated = v.object({
  you: participantView,
  /**
   * Token with which the next join resumes the participant's seat. The token can be used once,
   * within a limited time.
   */
  resume: v.string(),
  /** New mark for a device without a mark. The device sends the mark with each later join. */
  mark: v.optional(v.string()),
  energy,
  /** The seeds in the participant's hand, oldest first. */
  hand: v.optional(v.array(seedView), []),
});

/** Reports that a command was executed. A cross or a drawing gets a seed, a preview gets a film. */
const accepted = v.object({
  id: count,
  seed: v.optional(seedView),
  /** The organism's seed as a token, in the answer to `keep`. */
  token: v.optional(v.string()),
  /**
   * URL of the page on which visitors grow the token at home. If absent, `/keep` on this server.
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
 * Reports that a command had no effect, and why. The id of the command is absent if its message
 * could not be parsed.
 */
const rejected = v.object({
  id: v.optional(count),
  reason,
  detail: v.optional(v.string()),
  energy: v.optional(amount),
});

/**
 * Events that a table receives separately for each of its rings. The table receives all other
 * events only once.
 */
export const RING_EVENTS = {
  /** The ring is open. */
  seated,
  /** The ring is closed, or could not be opened. */
  left: v.object({ reason }),
  ...{ accepted, rejected, energy },
} as const;

export type RingEventName = keyof typeof RING_EVENTS;
export type RingEvent<N extends RingEventName> = v.InferOutput<(typeof RING_EVENTS)[N]>;

export const EVENTS = {
  /** Answer to the join of a participant. */
  welcome: v.object({ ...opening, ...seated.entries }),
  /** An event for one ring of this table. `RING_EVENTS` has the schema of each `message`. */
  ring: v.object({
    ring: ringNumber,
    name: v.picklist(Object.keys(RING_EVENTS) as RingEventName[]),
    message: v.unknown(),
  }),
  /** Answer to the join of a wall, a table, a spectator, or the picture on the host's page. */
  wall: v.object({
    ...opening,
    /** URL of the server for phones, such as http://192.168.1.20:8080; '' without a network. */
    origin: v.string(),
    /** Builds of the pages that are being served (see shared/build.ts); '' if unknown. */
    build: v.string(),
  }),
  /**
   * The room is full, so this page waits in a queue behind `ahead` other pages. When its turn
   * comes, the server lets the page join. If the page has to connect again, the token `resume`
   * restores its position in the queue.
   */
  waiting: v.object({ ahead: count, resume: v.optional(v.string()) }),
  /** Changes of the room's picture, encoded as codec/frame.ts describes. */
  frame: v.instance(Uint8Array),
  /** What has happened to organisms in one tick. */
  life: v.object({ tick: count, events: v.array(lifeEvent) }),
  /**
   * Changes that others have made to this participant's organisms, gathered over a short time. Each
   * change names the first person who made it (`by`) and the number of `others`. Departures are
   * included, although nobody caused them.
   */
  affected: v.object({
    organisms: v.array(
      v.object({
        ...{ id, kind: v.string(), how, by: planter, others: count },
        /**
         * Kind that the organism was transformed into, or that was grafted; '' if it has no name.
         */
        into: v.optional(v.string()),
        /** For how many seconds its planter can still renew a departing organism. */
        secondsLeft: v.optional(amount),
      }),
    ),
  }),
  /** Participants who have joined, and ids of participants who have left. */
  people: v.object({ joined: v.array(participantView), left: v.array(id) }),
  /** Genomes that the cells of organisms read. The painter (see shared/painter) needs them. */
  genomes: v.object({
    genomes: v.pipe(
      v.array(v.object({ id, ...packedGenomes.entries })),
      v.maxLength(MAX_GENOMES_ASKED),
    ),
  }),
  /** Positions of other participants' pointers, packed as `pointers.ts` describes. */
  cursors: v.array(packedPointer),
  /**
   * A participant shows where one of their organisms is. The organism glows briefly in the
   * participant's hue.
   */
  beacon: v.object({ organism: id, hue: v.number() }),
  /** A position in cells that the host asks everybody to look at. */
  spotlight: v.object({ x: v.number(), y: v.number() }),
  /** A position in cells of which walls show a close-up. If absent, walls show the whole room. */
  closeUp: v.object({ at: v.optional(v.object({ x: v.number(), y: v.number() })) }),
  /** A film that walls show instead of the room. If absent, walls show the room. */
  film: v.object({
    film: v.optional(
      v.object({
        /** Id of the film, with which a wall fetches its pictures (`FILES.wallFrame`). */
        id: v.string(),
        frames: size,
        /** Index of the picture with which to start. */
        frame: count,
        /** Pictures per second; 0 if the film stands still. */
        speed: amount,
        /** Unix times, in ms, at which the film's period starts (null if unknown) and ends. */
        from: v.nullable(finite),
        until: finite,
        /**
         * When some of the pictures were taken; the times between are interpolated. If absent, all
         * pictures are the same time apart.
         */
        times: v.optional(v.array(v.object({ frame: count, at: finite }))),
        /** Time zone of the server, such as 'Europe/Copenhagen'. */
        zone: v.pipe(v.string(), v.maxLength(64)),
      }),
    ),
  }),
  /**
   * Area in cells that the followed participant sees. If the area is absent, this page no longer
   * follows anybody.
   */
  view: v.object({
    participant: id,
    area: v.optional(v.object({ x: finite, y: finite, width: finite, height: finite })),
  }),
  /** Number of participants who follow this participant's view. */
  followers: v.object({ count }),
  ...{ accepted, rejected },
  /** The host's settings. Sent after a welcome, and after each change. */
  settings: v.object({
    /** Whether pages show participants' names. */
    names: v.boolean(),
    /** Whether the room is paused, so that visitors can only watch. */
    paused: v.boolean(),
    /** Maximum radius of a stroke, in cells. */
    maxRadius: amount,
    /** How far the water bends the picture, as a multiple of the usual. If absent, not at all. */
    water: v.optional(between(0, 2)),
    /** Minimum time between two seeds of one participant, in seconds. */
    cooldown: amount,
    /** Whether walls show captions. */
    captions: v.boolean(),
    /** Languages of the room, which the captions use in turn. */
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
    /** Whether walls are dimmed, because the time is outside the opening hours. */
    dim: v.boolean(),
    /** Whether the room's day is ending, so that its organisms dissolve and nobody may act. */
    farewell: v.optional(v.boolean()),
    /** Whether walls show the family tree of the day that is ending. */
    tree: v.optional(v.boolean()),
  }),
  /** The participant's energy and costs, because the host has changed the costs. */
  energy,
  /** A notice for this participant only. It does not mean that a command was refused. */
  notice: v.object({ notice }),
  /** Configured and actual tick rate, and whether the room is falling behind (`slow`). */
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
