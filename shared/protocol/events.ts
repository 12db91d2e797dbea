/** What the server may say, each message with its schema. Names are the Socket.IO event names. */
import * as v from 'valibot';
import { CAUSES, ORIGINS } from '../vocabulary.ts';
import { NOTICES, type Notice } from './notices.ts';
import { packedPointer } from './pointers.ts';
import { REASONS, type Reason } from './reasons.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const stage = v.pipe(v.number(), v.integer(), v.minValue(1));
const origin = v.picklist(ORIGINS);
const reason = v.picklist(Object.keys(REASONS) as Reason[]);

const notice = v.picklist(Object.keys(NOTICES) as Notice[]);
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What acts cost, and what she has; she can reckon from there how it refills. */
const energy = v.object({
  level: amount,
  capacity: amount,
  refillPerSecond: amount,
  plant: amount,
  damagePerCell: amount,
});

const seed = v.object({ id, origin, parents: v.array(id) });

const participant = v.object({ id, name: v.string(), hue: v.number() });
/** 0: the house. */
const planter = v.object({ id: count, name: v.string(), hue: v.number() });

const organism = v.object({
  id,
  x: v.number(),
  y: v.number(),
  side: stage,
  stage,
  phase: v.picklist(['growing', 'awake', 'asleep', 'dead']),
  origin,
  kind: v.string(),
  parents: v.array(id),
  planter,
  born: count,
  wounds: count,
  healed: count,
  hurt: v.boolean(),
});

const lifeEvent = v.variant('what', [
  v.object({ what: v.literal('born'), organism }),
  v.object({ what: v.literal('divided'), id, stage }),
  v.object({ what: v.literal('grown'), id }),
  v.object({ what: v.literal('wounded'), id, by: id, wounds: count }),
  v.object({ what: v.literal('healed'), id, healed: count }),
  v.object({ what: v.literal('asleep'), id }),
  v.object({ what: v.literal('awake'), id }),
  v.object({ what: v.literal('died'), id, cause: v.picklist(CAUSES) }),
]);

/** All of a room that one must know before the frames that follow. */
const opening = {
  protocol: count,
  room: v.object({
    name: v.string(),
    width: stage,
    height: stage,
    tickRate: v.number(),
    tick: count,
    maxOrganisms: stage,
  }),
  checkpoint: v.object({
    name: v.string(),
    title: v.string(),
    side: stage,
    latentSize: stage,
    /** Ticks from planting to grown. */
    growthTicks: count,
    gallery: v.array(v.object({ name: v.string(), kind: v.string() })),
    /** A sheet of `columns` tiles a row, side×side pixels each, in gallery order. */
    sheet: v.object({ url: v.string(), columns: stage }),
    /** Where the gallery's latents lie in two dimensions: places 0…1 in gallery order, as JSON. */
    map: v.optional(v.string()),
    /** What it can grow drawings of: white ink, or colours; absent: of none. */
    draws: v.optional(v.picklist(['ink', 'colour'])),
  }),
  engine: v.object({ name: v.string(), device: v.string() }),
  organisms: v.array(organism),
  participants: v.array(participant),
};

export const EVENTS = {
  /** Answer to join. */
  welcome: v.object({
    ...opening,
    you: participant,
    /** Shown at the next join, it makes her the same participant; good once, and for a while. */
    resume: v.string(),
    /** For a device that came without one, to be shown at each join from now on. */
    mark: v.optional(v.string()),
    energy,
    /** The seeds in her hand, the oldest first. */
    hand: v.optional(v.array(seed), []),
  }),
  /** Answer to the join of a wall. */
  wall: v.object({
    ...opening,
    /** Where phones reach the room's server, like http://192.168.1.20:8080; '' when it is on no network. */
    origin: v.string(),
    /** Files of the pages that are served now (see shared/build.ts); '' when not known. */
    build: v.string(),
  }),
  /** The room is full: so many wait before this page. It is let in when its turn has come. */
  waiting: v.object({ ahead: count }),
  /** What has changed of the picture: see codec/frame.ts. */
  frame: v.instance(Uint8Array),
  /** What happened to organisms in a tick. */
  life: v.object({ tick: count, events: v.array(lifeEvent) }),
  /** Who came and who went. */
  people: v.object({ joined: v.array(participant), left: v.array(id) }),
  /** Where pointers are: see `pointers.ts`. */
  cursors: v.array(packedPointer),
  /** Somebody asks where one of hers is: it shines for a moment, in her hue, wherever the room is shown. */
  beacon: v.object({ organism: id, hue: v.number() }),
  /** The command was taken and has acted; a cross and a drawing answer with their seed, a preview with its film. */
  accepted: v.object({
    id: count,
    seed: v.optional(seed),
    /** A strip of `frames` pictures, side×side pixels each, from the seed to the grown organism. */
    /** Of what was asked to be kept. */
    token: v.optional(v.string()),
    film: v.optional(v.object({ side: stage, frames: stage, png: v.instance(Uint8Array) })),
    /** What she has left. */
    energy: v.optional(amount),
  }),
  /** The command changed nothing, and why. Without an id: the message could not be read that far. */
  rejected: v.object({
    id: v.optional(count),
    reason,
    detail: v.optional(v.string()),
    energy: v.optional(amount),
  }),
  /** What the host has set for everybody; after `welcome`, and when it has changed. */
  settings: v.object({
    /** Whether names are shown. */
    names: v.boolean(),
    /** Nobody can do anything but look, for now. */
    paused: v.boolean(),
    /** Largest radius of a stroke, cells. */
    maxRadius: amount,
    /** Seconds between two seeds of one participant. */
    cooldown: amount,
    /** Whether walls show captions, and in which languages they take turns. */
    captions: v.boolean(),
    languages: v.array(v.string()),
    attract: v.object({ on: v.boolean(), after: amount }),
    /** Outside the open hours: walls go dim. */
    dim: v.boolean(),
  }),
  /** The host has changed what acts cost. */
  energy,
  /** Something that only she is told; nothing was refused. */
  notice: v.object({ notice }),
  /** How fast the room really ticks; `slow` while it cannot keep its rate. */
  pace: v.object({
    tickRate: v.number(),
    actual: v.number(),
    slow: v.boolean(),
    awake: count,
    organisms: count,
  }),
} as const;

export type EventName = keyof typeof EVENTS;
export type Event<N extends EventName> = v.InferOutput<(typeof EVENTS)[N]>;

export function isEventName(name: unknown): name is EventName {
  return typeof name === 'string' && Object.hasOwn(EVENTS, name);
}
