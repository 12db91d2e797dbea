/**
 * Messages between a gateway, to which visitors' pages are connected, and the server that runs a
 * room. Each side numbers its messages. If a number is missing, a message was lost. The gateway
 * then opens a new link to the server, and the gateway's pages join the room again.
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
import { CHANNEL_TIERS, type ChannelTier } from '../streaming/room-encoders.ts';

/** Timing of a gateway's connections to rooms of other servers, in ms. */
export const GATEWAY_TIMES = {
  /** Interval of heartbeats between gateway and leader. */
  beat: 1_000,
  /**
   * Interval at which a new leader checks whether its lease already allows it to serve the room.
   */
  begin: 100,
  /** A server that has sent no heartbeat for this long is considered gone. */
  silence: 3_000,
  /** Minimum time between two messages with clients' new views of the grid. */
  look: 200,
  /** Minimum time between two lists of the chunks that a gateway's clients can see. */
  wants: 25,
  /** Minimum time between two attempts to connect to a leader. */
  again: 500,
  /** Interval at which a gateway unsubscribes from rooms in which it has no connections. */
  idle: 30_000,
} as const;

const name = v.pipe(v.string(), v.maxLength(64));
/** Number of a connection, assigned by its gateway. */
const connection = whole;
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const { as, pass, unwritable, resume, mark, session } = COMMANDS.join.entries;

const entry = v.object({
  ...{ as, pass, unwritable, resume, mark, session },
  name: v.pipe(v.string(), v.maxLength(256)),
  notice: v.optional(v.picklist(NOTICES)),
  ring: v.optional(ringNumber),
  /** Address key of the connection (see `addressKey`). */
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

/**
 * Fields that identify a round (the encoded update of one channel in one tick). Rounds in another
 * version of the frame format are dropped as invalid.
 */
const roundName = {
  ...channel,
  version: v.literal(FRAME_VERSION),
  generation: whole,
  round: whole,
};

/** Schema of an item in a message from a gateway to a room. */
const toRoom = v.variant('what', [
  v.object({ what: v.literal('join'), connection, entry }),
  /** A client's command. Its `message` is checked later, by the schema for messages from pages. */
  v.object({
    what: v.literal('command'),
    connection,
    name: v.custom<CommandName>(isCommandName),
    message: v.unknown(),
  }),
  /**
   * Frames that pages have drawn since the previous `drawn` item: [connection, tick of the latest
   * frame drawn, number of frames drawn].
   */
  v.object({ what: v.literal('drawn'), clients: v.array(v.tuple([whole, whole, whole])) }),
  /** New cursor positions. Each `id` is the number of a connection, not a participant's id. */
  v.object({ what: v.literal('cursors'), cursors: v.array(packedPointer) }),
  v.object({ what: v.literal('leave'), connection }),
  /**
   * All channels that the gateway's viewers use, with the chunks that the viewers can see.
   * `isUsed`: false if the last viewer has just left the channel. `mayReceive`: whether any viewer
   * can be sent a frame now. `asks`: whether the gateway requests a baseline (all cells of the
   * channel).
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

/** Schema of an item in a message from a room to a gateway. */
const fromRoom = v.variant('what', [
  /** An event that the gateway passes on to pages. */
  v.object({
    what: v.literal('event'),
    to: v.union([
      v.object({ only: connections }),
      /** All of the gateway's connections in the room, except the listed connections. */
      v.object({ except: connections }),
    ]),
    name: v.custom<EventName>(isEventName),
    message: v.unknown(),
  }),
  /**
   * A welcome message for one connection. `own` holds the fields for this connection only.
   * `opening` holds fields that are the same for all connections. A field that has not changed
   * since the last welcome message on this link is left out of `opening`.
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
    /** Id of the refused command; undefined if the request to join is refused. */
    id: v.optional(whole),
  }),
  v.object({ what: v.literal('end'), connection, reason: v.picklist(REASONS) }),
  /**
   * Makes the gateway start sending frames to a connection. Until the page reports its view, the
   * frames cover the whole room.
   */
  v.object({
    what: v.literal('stream'),
    connection,
    tier: v.optional(v.picklist(TIER_NAMES)),
  }),
  v.object({ what: v.literal('stop'), connection }),
  /**
   * A baseline: all cells of a channel, compressed with `deflate`. The cells include all updates up
   * to the update with number `round`.
   */
  v.object({ what: v.literal('baseline'), ...roundName, tick: whole, cells: bytes }),
]);

const MAX_ITEMS = 2 ** 17;

/**
 * Creates the schema of a list whose invalid items are dropped. While a cluster is being updated, a
 * server of a later release may send unknown items, which must not make the whole message invalid.
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

/**
 * Schema of a message from a gateway to a room. `number` counts the messages of a link. A message
 * with number 0 opens a new link and closes the gateway's previous link.
 */
export const batchToRoom = v.object({
  gateway: name,
  link: name,
  number: whole,
  items: known(toRoom),
});

/** Sent instead of a message number, to make the gateway replace its link, which is lost. */
export const LOST = -1;

/**
 * Schema of a message from a room to one gateway. `epoch` is the number of leaders that the room
 * has had; gateways ignore messages with the epoch of a former leader.
 */
export const batchFromRoom = v.object({
  epoch: whole,
  link: name,
  number: v.union([whole, v.literal(LOST)]),
  items: known(fromRoom),
});

/**
 * Schema of a channel's update in one tick. Each item of `deltas` is [chunk index, chunk version,
 * delta].
 */
const round = v.object({ ...roundName, deltas: v.array(v.tuple([whole, whole, bytes])) });

/**
 * Schema of a message from a room to all gateways: with `frames`, the updates of a tick; without
 * `frames`, a heartbeat.
 */
export const news = v.object({
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

type OneItem = Exclude<FromRoom, { what: 'event' }>;

/**
 * Collects items for the next message from a room to a gateway. An event that is added for several
 * connections in succession becomes one item.
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

  get hasEnd(): boolean {
    return this.items.some(({ what }) => what === 'end');
  }

  /** Adds an event for a connection. @param message must not be modified after this call */
  event(connection: number, name: EventName, message: unknown): void {
    const last = this.items.at(-1);
    if (last?.what === 'event' && last.name === name && last.message === message) {
      last.to.push(connection);
    } else this.items.push({ what: 'event', name, message, to: [connection] });
  }

  add(item: OneItem): void {
    this.items.push(item);
  }

  /**
   * Removes and returns all items. @param present the gateway's connections that are in the room
   */
  take(present: ReadonlySet<number>): FromRoom[] {
    const { items } = this;
    this.items = [];
    return items.map((item) =>
      item.what === 'event' ? { ...item, to: shorter(item.to, present) } : item,
    );
  }
}

/**
 * Describes the recipients of an event by the shorter of two lists: the recipients (`only`), or the
 * gateway's other connections in the room (`except`).
 *
 * @param present the gateway's connections in the room
 */
function shorter(to: number[], present: ReadonlySet<number>) {
  if (2 * to.length <= present.size || !to.every((one) => present.has(one))) return { only: to };
  const getting = new Set(to);
  const except = [...present].filter((connection) => !getting.has(connection));
  return except.length < to.length ? { except } : { only: to };
}
