/**
 * Messages between a gateway, which holds the connections of pages, and the server that runs a
 * room. Each side numbers the messages that it sends over their link. A missing number shows that a
 * message was lost. The gateway then opens a new link, and all its connections join the room again
 * over the new link.
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
   * Interval at which a new leader (server of a room) checks whether it may start serving the room.
   */
  begin: 100,
  /** If a server has sent no heartbeat for this long, it is considered gone. */
  silence: 3_000,
  /** Minimum time between two messages in which a gateway reports changed views. */
  look: 200,
  /**
   * Minimum time between two messages in which a gateway reports the chunks visible to its clients.
   */
  wants: 25,
  /** Minimum time between two attempts to connect to a leader. */
  again: 500,
  /** Interval at which a gateway closes rooms without connections. */
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
 * Identifies a round, in which an encoder encodes the changes of a tick. Rounds with another
 * version of the frame format are dropped.
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
  /** A command of a client. The `message` is validated like a message from a page. */
  v.object({
    what: v.literal('command'),
    connection,
    name: v.custom<CommandName>(isCommandName),
    message: v.unknown(),
  }),
  /**
   * The frames that clients have drawn since the previous `drawn` item: for each client,
   * [connection, tick of the latest frame, number of frames].
   */
  v.object({ what: v.literal('drawn'), clients: v.array(v.tuple([whole, whole, whole])) }),
  /** Cursors that have moved. Each `id` is the number of a connection, not of a participant. */
  v.object({ what: v.literal('cursors'), cursors: v.array(packedPointer) }),
  v.object({ what: v.literal('leave'), connection }),
  /**
   * All channels that the gateway's viewers use, with the visible chunks. A channel whose last
   * viewer has left remains in the list for a while, without `isUsed`. `mayReceive` says whether at
   * least one viewer can take a frame now. `asks` requests a baseline, which contains all cells of
   * the channel.
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
      /** All of the gateway's connections in the room, except these. */
      v.object({ except: connections }),
    ]),
    name: v.custom<EventName>(isEventName),
    message: v.unknown(),
  }),
  /**
   * A welcome message. `opening` holds the fields that all welcome messages have in common. Fields
   * that have already been sent over this link and have not changed are omitted. `own` holds the
   * fields for this connection only.
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
   * Makes the gateway send frames to a connection. The frames show the whole room until the page
   * changes its view.
   */
  v.object({
    what: v.literal('stream'),
    connection,
    tier: v.optional(v.picklist(TIER_NAMES)),
  }),
  v.object({ what: v.literal('stop'), connection }),
  /**
   * All cells of a channel after a round, as returned by `FrameSource.copy` and compressed with
   * `deflate`.
   */
  v.object({ what: v.literal('baseline'), ...roundName, tick: whole, cells: bytes }),
]);

const MAX_ITEMS = 2 ** 17;

/**
 * Creates the schema of a list from which unknown items are dropped. During an update of the
 * cluster, a server of a later release may send unknown items. They must not break the link,
 * because all connections of a gateway depend on it.
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
 * Schema of a message from a gateway to a room. A message with the number 0 opens a link, which
 * replaces the gateway's previous link.
 */
export const batchToRoom = v.object({
  gateway: name,
  link: name,
  number: whole,
  items: known(toRoom),
});

/** Message number with which the room reports that a link is lost. */
export const LOST = -1;

/**
 * Schema of a message from a room to one gateway. `epoch` is the epoch of the room's lease.
 * Gateways use `epoch` to ignore former leaders.
 */
export const batchFromRoom = v.object({
  epoch: whole,
  link: name,
  number: v.union([whole, v.literal(LOST)]),
  items: known(fromRoom),
});

/** Schema of all deltas of one channel in one tick: [chunk index, chunk version, delta]. */
const round = v.object({ ...roundName, deltas: v.array(v.tuple([whole, whole, bytes])) });

/**
 * Schema of a message from a room to all gateways: a heartbeat, or the frames of a tick if any
 * gateway has viewers.
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

  /** Removes and returns all items. @param present all connections that are in the room */
  take(present: ReadonlySet<number>): FromRoom[] {
    const { items } = this;
    this.items = [];
    return items.map((item) =>
      item.what === 'event' ? { ...item, to: shorter(item.to, present) } : item,
    );
  }
}

/**
 * Returns the recipients of an event as the shorter of two lists: all recipients, or all other
 * connections in the room.
 */
function shorter(to: number[], present: ReadonlySet<number>) {
  if (2 * to.length <= present.size || !to.every((one) => present.has(one))) return { only: to };
  const getting = new Set(to);
  const except = [...present].filter((connection) => !getting.has(connection));
  return except.length < to.length ? { except } : { only: to };
}
