/**
 * Messages between a gateway, which holds connections, and the server of their room. They travel
 * over a link. Each side numbers its messages on a link, so that the other side notices a lost one.
 * The gateway then opens a new link, over which all its connections join again.
 */
import * as v from 'valibot';
import { FRAME_VERSION, MAX_SCALE } from '../../../shared/codec/frame.ts';
import { TIER_NAMES } from '../../../shared/codec/tiers.ts';
import { count as whole } from '../../../shared/common-schemas.ts';
import { COMMANDS, type CommandName, isCommandName } from '../../../shared/protocol/commands.ts';
import { type EventName, isEventName } from '../../../shared/protocol/events.ts';
import { packedPointer } from '../../../shared/protocol/pointers.ts';
import { NOTICES, REASONS } from '../../../shared/protocol/reasons.ts';
import { ringNumber } from '../../../shared/vocabulary.ts';
import { decodeMessage } from '../../cluster/bus/bus.ts';
import { CHANNEL_TIERS, type ChannelTier } from '../streaming/room-encoders.ts';

/** Timing of a gateway's connections to rooms of other servers, in ms. */
export const GATEWAY_TIMES = {
  /** Interval of heartbeats between gateway and leader. */
  beat: 1_000,
  /** Interval at which a new leader checks whether it may show the room. */
  begin: 100,
  /** A server counts as gone if it has sent no heartbeat for this long. */
  silence: 3_000,
  /** Minimum time between two reports of clients' changed views. */
  look: 200,
  /** Minimum time between two reports of the chunks that clients look at. */
  wants: 25,
  /** Minimum time between two attempts to connect to a leader. */
  again: 500,
  /** Interval at which a gateway closes rooms without connections. */
  idle: 30_000,
} as const;

const name = v.pipe(v.string(), v.maxLength(64));
/** The number that the gateway gave to a connection. */
const connection = whole;
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const { as, pass, unwritable, resume, mark, session } = COMMANDS.join.entries;

const entry = v.object({
  ...{ as, pass, unwritable, resume, mark, session },
  name: v.pipe(v.string(), v.maxLength(256)),
  notice: v.optional(v.picklist(NOTICES)),
  ring: v.optional(ringNumber),
  /** Address key of the connection. */
  address: name,
});

const channel = {
  tier: v.picklist(Object.keys(CHANNEL_TIERS) as ChannelTier[]),
  scale: v.pipe(
    whole,
    v.maxValue(MAX_SCALE),
    v.check((scale) => Number.isInteger(Math.log2(scale))),
  ),
};

/** Identifies a round of an encoder. Rounds of another version of the frame format are dropped. */
const roundName = {
  ...channel,
  version: v.literal(FRAME_VERSION),
  generation: whole,
  round: whole,
};

/** Item of a message to the room. */
const toRoom = v.variant('what', [
  v.object({ what: v.literal('join'), connection, entry }),
  /** A command. Its `message` is validated like a message from a page. */
  v.object({
    what: v.literal('command'),
    connection,
    name: v.custom<CommandName>(isCommandName),
    message: v.unknown(),
  }),
  /**
   * Frames drawn by clients since the last item of this type: [connection, tick of the latest
   * frame, number of frames].
   */
  v.object({ what: v.literal('drawn'), clients: v.array(v.tuple([whole, whole, whole])) }),
  /** Current cursor positions. Each `id` is a connection, not a participant. */
  v.object({ what: v.literal('cursors'), cursors: v.array(packedPointer) }),
  v.object({ what: v.literal('leave'), connection }),
  /**
   * All channels that the gateway's viewers use, with the chunks that they look at. A channel
   * without viewers stays in the list for a while. `mayReceive` is set if at least one viewer can
   * take a frame. `asks` requests a baseline.
   */
  v.object({
    what: v.literal('wants'),
    channels: v.array(
      v.object({
        ...channel,
        isUsed: v.boolean(),
        mayReceive: v.boolean(),
        asks: v.boolean(),
        chunks: v.array(whole),
      }),
    ),
  }),
]);

const connections = v.array(connection);

/** Item of a message from the room. */
const fromRoom = v.variant('what', [
  /** An event for pages, made by the room's server. */
  v.object({
    what: v.literal('event'),
    to: v.union([
      v.object({ only: connections }),
      /** Sends the event to all connections in the room except these. */
      v.object({ except: connections }),
    ]),
    name: v.custom<EventName>(isEventName),
    message: v.unknown(),
  }),
  /**
   * A welcome. `opening` is the part that all welcomes have in common, reduced to the fields that
   * are new or have changed on this link. `own` is the part for this connection only.
   */
  v.object({
    what: v.literal('welcome'),
    connection,
    name: v.picklist(['welcome', 'wall']),
    opening: v.looseObject({}),
    own: v.looseObject({}),
  }),
  v.object({
    what: v.literal('refused'),
    connection,
    reason: v.picklist(REASONS),
    detail: v.string(),
    /** Id of the refused command; undefined if the connection's join is refused. */
    id: v.optional(whole),
  }),
  v.object({ what: v.literal('end'), connection, reason: v.picklist(REASONS) }),
  /** Starts sending frames to the client, which sees the whole room until it changes its view. */
  v.object({
    what: v.literal('stream'),
    connection,
    tier: v.optional(v.picklist(TIER_NAMES)),
  }),
  v.object({ what: v.literal('stop'), connection }),
  /** All cells of a channel after a round, from `FrameSource.copy` and deflated. */
  v.object({ what: v.literal('baseline'), ...roundName, tick: whole, cells: bytes }),
]);

/** Maximum number of items in a message. */
const MAX_ITEMS = 2 ** 17;

/**
 * Drops unknown items. While the cluster is being updated, a server of a later release may send
 * unknown items. They must not break a link, because all connections of a gateway depend on it.
 */
const known = <S extends v.GenericSchema>(schema: S) =>
  v.pipe(
    v.array(v.unknown()),
    v.maxLength(MAX_ITEMS),
    v.transform((items) =>
      items.flatMap((item): v.InferOutput<S>[] => {
        const parsed = v.safeParse(schema, item, { abortEarly: true });
        return parsed.success ? [parsed.output] : [];
      }),
    ),
  );

/** A message with the number 0 opens a link, which replaces the gateway's earlier link. */
const batchToRoom = v.object({ gateway: name, link: name, number: whole, items: known(toRoom) });

/** Message number reserved for the message that reports a lost link. */
export const LOST = -1;

/** `epoch` is the epoch of the room's lease. Gateways use it to ignore earlier leaders. */
const batchFromRoom = v.object({
  epoch: whole,
  link: name,
  number: v.union([whole, v.literal(LOST)]),
  items: known(fromRoom),
});

/** All deltas of one channel in one tick. Each delta has the chunk's index and version. */
const round = v.object({ ...roundName, deltas: v.array(v.tuple([whole, whole, bytes])) });

/** A message to all gateways. `frames` is present after each tick while a gateway has viewers. */
const news = v.object({
  epoch: whole,
  frames: v.optional(v.object({ tick: whole, rounds: known(round) })),
});

export type ToRoom = v.InferOutput<typeof toRoom>;
export type FromRoom = v.InferOutput<typeof fromRoom>;
export type BatchToRoom = v.InferOutput<typeof batchToRoom>;
export type BatchFromRoom = v.InferOutput<typeof batchFromRoom>;
export type News = v.InferOutput<typeof news>;
export type Round = v.InferOutput<typeof round>;
export type Item<What, From = ToRoom | FromRoom> = Extract<From, { readonly what: What }>;

/** Names of a room's channels on the bus. */
export const busChannels = (room: string) => ({
  /** Messages from all gateways to the room's server. */
  toRoom: `room:${room}:in`,
  /** Heartbeats and frames from the room's server to all gateways. */
  news: `room:${room}:news`,
  /** Messages from the room's server to one gateway. */
  to: (gateway: string): string => `room:${room}:to:${gateway}`,
});

/** @returns undefined if the bytes are not a valid message */
export const decodeToRoom = (message: Uint8Array) => decodeMessage(batchToRoom, message);
/** @returns undefined if the bytes are not a valid message */
export const decodeFromRoom = (message: Uint8Array) => decodeMessage(batchFromRoom, message);
/** @returns undefined if the bytes are not a valid message */
export const decodeNews = (message: Uint8Array) => decodeMessage(news, message);

type OneItem = Exclude<FromRoom, { what: 'event' }>;

/**
 * Collects the items of the next message from a room to a gateway. If the same event is sent to
 * several connections in a row, the event becomes one item.
 */
export class OutgoingBatch {
  private items: (
    | OneItem
    | {
        readonly what: 'event';
        readonly name: EventName;
        readonly message: unknown;
        readonly to: number[];
      }
  )[] = [];

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether any item ends a connection. */
  get hasEnd(): boolean {
    return this.items.some(({ what }) => what === 'end');
  }

  /** Adds an event for a connection. @param message must not change once it has been added */
  event(connection: number, name: EventName, message: unknown): void {
    const last = this.items.at(-1);
    if (last?.what === 'event' && last.name === name && last.message === message) {
      last.to.push(connection);
    } else this.items.push({ what: 'event', name, message, to: [connection] });
  }

  add(item: OneItem): void {
    this.items.push(item);
  }

  /** Removes and returns all items. @param present connections that are in the room */
  take(present: ReadonlySet<number>): FromRoom[] {
    const { items } = this;
    this.items = [];
    return items.map((item) =>
      item.what === 'event' ? { ...item, to: shorter(item.to, present) } : item,
    );
  }
}

/**
 * Returns the shorter of two lists: the receivers of an event, or all other present connections.
 */
function shorter(to: number[], present: ReadonlySet<number>) {
  if (2 * to.length <= present.size || !to.every((one) => present.has(one))) return { only: to };
  const getting = new Set(to);
  const except = [...present].filter((connection) => !getting.has(connection));
  return except.length < to.length ? { except } : { only: to };
}
