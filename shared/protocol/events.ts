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

/** Costs of actions, and the participant's energy, from which the client computes the refill. */
const energy = v.object({
  level: amount,
  capacity: amount,
  refillPerSecond: amount,
  plant: amount,
  damagePerCell: amount,
});

/** Everything about a room that a client needs before the first frame. */
const opening = {
  protocol: count,
  room: v.object({
    name: v.string(),
    width: size,
    height: size,
    tickRate: v.number(),
    tick: count,
    maxOrganisms: size,
    /** Maximum number of flashes per second over a large area. If absent, 3. */
    flashLimit: v.optional(flashLimit),
    sky: v.optional(sky),
  }),
  checkpoint: v.object({
    name: v.string(),
    title: v.string(),
    side: size,
    latentSize: size,
    /** Ticks from planting to grown. */
    growthTicks: count,
    gallery: v.array(v.object({ name: v.string(), kind: v.string() })),
    /**
     * Gallery indices of the creatures that visitors are offered first, in this order. If absent,
     * they are offered the whole gallery.
     */
    featured: v.optional(v.array(count)),
    /** Gallery indices of the creatures that do not suit everybody. */
    unsuitable: v.optional(v.array(count)),
    /** The gallery's pictures: a sheet of `columns` tiles per row, side×side pixels each. */
    sheet: v.object({ url: v.string(), columns: size }),
    /**
     * URL of the latent map as JSON: coordinates, 0…1, of the featured creatures in gallery order,
     * and null for all others. With `?whole`, it has the coordinates of all creatures.
     */
    map: v.optional(v.string()),
    /** Whether the checkpoint's organisms can be transformed. If absent, they cannot. */
    transforms: v.optional(v.boolean()),
    /**
     * Kind of drawings that the checkpoint can grow: 'ink' (white ink) or 'colour'. If absent, it
     * cannot grow drawings.
     */
    draws: v.optional(v.picklist(['ink', 'colour'])),
    /** URL of the checkpoint's painter (see shared/painter). If absent, there is no painter. */
    painter: v.optional(v.string()),
  }),
  engine: v.object({ name: v.string(), device: v.string() }),
  organisms: v.array(organismView),
  participants: v.array(participantView),
};

const seated = v.object({
  you: participantView,
  /**
   * Token with which the next join resumes the participant's seat. It is valid once, for a limited
   * time.
   */
  resume: v.string(),
  /** New device mark for a device that has none. The device sends it with each later join. */
  mark: v.optional(v.string()),
  energy,
  /** The seeds in the participant's hand, oldest first. */
  hand: v.optional(v.array(seedView), []),
});

/** The command was executed. A cross or a drawing returns its seed, a preview its pictures. */
const accepted = v.object({
  id: count,
  seed: v.optional(seedView),
  /** Token of the seed, in the answer to `keep`. */
  token: v.optional(v.string()),
  /** Address of the page that grows a token at home. If absent, it is `/keep` on this server. */
  page: v.optional(v.string()),
  /** A strip of `frames` pictures, side×side pixels each, from the seed to the grown organism. */
  film: v.optional(
    v.object({
      ...{ side: size, frames: size, png: v.instance(Uint8Array) },
      genomes: v.optional(packedGenomes),
    }),
  ),
  energy: v.optional(amount),
});

/**
 * The command had no effect; `reason` says why. If the id is absent, the message could not be
 * parsed.
 */
const rejected = v.object({
  id: v.optional(count),
  reason,
  detail: v.optional(v.string()),
  energy: v.optional(amount),
});

/** What a table receives for one ring. Everything else reaches the table only once. */
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
  /** An event for one ring of this table. `message`: see `RING_EVENTS`. */
  ring: v.object({
    ring: ringNumber,
    name: v.picklist(Object.keys(RING_EVENTS) as RingEventName[]),
    message: v.unknown(),
  }),
  /** Answer to the join of a wall, view, table or spectator. */
  wall: v.object({
    ...opening,
    /** Address of the server for phones, such as http://192.168.1.20:8080; '' without a network. */
    origin: v.string(),
    /** Builds of the pages that are being served (see shared/build.ts); '' if unknown. */
    build: v.string(),
  }),
  /**
   * The room is full, and `ahead` pages are ahead in the queue. The page joins automatically when
   * its turn comes. The token resumes its position in the queue at a later join.
   */
  waiting: v.object({ ahead: count, resume: v.optional(v.string()) }),
  /** Changes of the picture; see codec/frame.ts. */
  frame: v.instance(Uint8Array),
  /** Events of organisms in one tick. */
  life: v.object({ tick: count, events: v.array(lifeEvent) }),
  /**
   * What others have done to this participant's organisms, gathered over a short time: for each
   * organism, the first person who acted (`by`) and the number of `others`. Also includes
   * departures, which nobody caused.
   */
  affected: v.object({
    organisms: v.array(
      v.object({
        ...{ id, kind: v.string(), how, by: planter, others: count },
        /** The kind into which it was transformed, or that was grafted; '' for nameless kinds. */
        into: v.optional(v.string()),
        /** For a departing organism: number of seconds for which its planter can still renew it. */
        secondsLeft: v.optional(amount),
      }),
    ),
  }),
  /** Participants who joined and left. */
  people: v.object({ joined: v.array(participantView), left: v.array(id) }),
  /** The genomes that the cells of organisms read, for painters; see shared/painter. */
  genomes: v.object({
    genomes: v.pipe(
      v.array(v.object({ id, ...packedGenomes.entries })),
      v.maxLength(MAX_GENOMES_ASKED),
    ),
  }),
  /** Positions of pointers; see `pointers.ts`. */
  cursors: v.array(packedPointer),
  /**
   * A participant shows where one of their organisms is. The organism glows briefly in the
   * participant's hue.
   */
  beacon: v.object({ organism: id, hue: v.number() }),
  /** The host asks everybody to look at this position, in cells. */
  spotlight: v.object({ x: v.number(), y: v.number() }),
  /** A position, in cells, that walls show from close by. If absent, they show the room. */
  closeUp: v.object({ at: v.optional(v.object({ x: v.number(), y: v.number() })) }),
  /** A film that walls show instead of the room. If absent, they show the room. */
  film: v.object({
    film: v.optional(
      v.object({
        /** See `FILES.wallFrame` of the host's API. */
        id: v.string(),
        frames: size,
        /** Index of the picture to show now. */
        frame: count,
        /** Pictures per second; 0 if the film stands still. */
        speed: amount,
        /** Unix times, in ms, at which the film's period starts (null if unknown) and ends. */
        from: v.nullable(finite),
        until: finite,
        /** See `FilmTimes`. If absent, pictures are dated evenly. */
        times: v.optional(v.array(v.object({ frame: count, at: finite }))),
        /** Time zone of the server, such as 'Europe/Copenhagen'. */
        zone: v.pipe(v.string(), v.maxLength(64)),
      }),
    ),
  }),
  /**
   * The view of the followed participant, in cells. Without an area, this page no longer follows
   * anybody.
   */
  view: v.object({
    participant: id,
    area: v.optional(v.object({ x: finite, y: finite, width: finite, height: finite })),
  }),
  /** Number of participants who follow this participant's view. */
  followers: v.object({ count }),
  ...{ accepted, rejected },
  /** Settings from the host; sent after `welcome` and after each change. */
  settings: v.object({
    /** Whether participants' names are shown. */
    names: v.boolean(),
    /** Whether the room is paused, so that visitors can only watch. */
    paused: v.boolean(),
    /** Maximum radius of a stroke, in cells. */
    maxRadius: amount,
    /** How far the water bends the picture. If absent, not at all. */
    water: v.optional(between(0, 2)),
    /** Seconds between two seeds of one participant. */
    cooldown: amount,
    /** Whether walls show captions, and their languages. */
    captions: v.boolean(),
    languages: v.array(v.string()),
    /** Number of events per minute that walls show from close by. If absent, none. */
    closeUps: v.optional(amount),
    attract: v.object({ on: v.boolean(), after: amount }),
    /** Whether drawings become seeds: immediately, after the host's approval, or never. */
    drawings: drawingMode,
    /** Whether keepsakes and latents can be planted. */
    tokens: v.boolean(),
    latents: v.boolean(),
    /** Whether visitors may transform other participants' organisms. If absent, they may not. */
    transformOthers: v.optional(v.boolean()),
    /** Whether visitors may graft onto other participants' organisms. If absent, they may not. */
    graftOthers: v.optional(v.boolean()),
    /** Whether visitors are offered the whole gallery. */
    wholeGallery: v.optional(v.boolean()),
    /**
     * Gallery indices of the creatures that visitors may not use, and of those that they are offered
     * before all others. If absent, there are none.
     */
    hidden: v.optional(v.array(count)),
    first: v.optional(v.array(count)),
    /** What the host says about the exhibition, and to everybody. If absent, nothing. */
    ...{ exhibition: v.optional(v.string()), credits: v.optional(v.string()) },
    message: v.optional(v.string()),
    /** Path of the exhibition's logo. If absent, there is none. */
    logo: v.optional(v.string()),
    /** Whether walls are dimmed, because the time is outside the opening hours. */
    dim: v.boolean(),
    /** Whether the day of the room is ending, so that its organisms are dissolving. */
    farewell: v.optional(v.boolean()),
    /** Whether walls show the family tree of the ending day. */
    tree: v.optional(v.boolean()),
  }),
  /** The host has changed the costs. */
  energy,
  /** A notice for this participant only; nothing was refused. */
  notice: v.object({ notice }),
  /** The actual tick rate, and whether it is currently below the configured rate (`slow`). */
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
