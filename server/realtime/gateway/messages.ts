/**
 * Messages between a gateway, which holds connections, and the server of their room. Each gateway
 * numbers its connections. Messages are numbered, too, so that the receiver notices a lost one. The
 * gateway then opens a new link, over which all its connections join again. For frames, see
 * streaming/frame-messages.ts.
 */
import * as v from 'valibot';
import { TIER_NAMES } from '../../../shared/codec/tiers.ts';
import { count as whole } from '../../../shared/common-schemas.ts';
import { COMMANDS, type CommandName, isCommandName } from '../../../shared/protocol/commands.ts';
import { type EventName, isEventName } from '../../../shared/protocol/events.ts';
import { packedPointer } from '../../../shared/protocol/pointers.ts';
import { NOTICES, REASONS } from '../../../shared/protocol/reasons.ts';
import { ringNumber } from '../../../shared/vocabulary.ts';
import { decodeMessage, encodeMessage } from '../../cluster/bus/bus.ts';

/** Timing of a gateway's sessions in rooms of other servers; times are in ms. */
export const GATEWAY_TIMES = {
  /** Interval of heartbeats between gateway and leader, in ms. */
  beat: 1_000,
  /** Interval of heartbeats until a new leader may show the room, in ms. */
  begin: 100,
  /** If a server has sent no heartbeat for this long, in ms, it counts as gone. */
  silence: 3_000,
  /** Interval at which clients' changed views are reported, in ms. */
  look: 200,
  /** Minimum time between two attempts to connect to a leader, in ms. */
  again: 500,
  /** Interval at which rooms without connections are closed, in ms. */
  idle: 30_000,
} as const;

const name = v.pipe(v.string(), v.maxLength(64));
const connection = whole;
const { as, pass, unwritable, resume, mark, session } = COMMANDS.join.entries;

const entry = v.object({
  ...{ as, pass, unwritable, resume, mark, session },
  name: v.pipe(v.string(), v.maxLength(256)),
  notice: v.optional(v.picklist(NOTICES)),
  ring: v.optional(ringNumber),
  /** Address key of the connection. */
  address: name,
});

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
]);

/**
 * Maximum number of earlier links that a new link replaces: the last link that a leader has
 * answered, and the links opened after it.
 */
export const MAX_REPLACED = 8;

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

const batchToRoom = v.object({
  link: name,
  number: whole,
  items: known(toRoom),
  /**
   * Present in the first message: name of the gateway, and the links that this link may replace.
   */
  opening: v.optional(
    v.object({ node: name, replaces: v.pipe(v.array(name), v.maxLength(MAX_REPLACED)) }),
  ),
});

const batchFromRoom = v.object({
  epoch: whole,
  number: whole,
  items: known(fromRoom),
});

const beat = v.object({ epoch: whole });
const lost = v.object({ lost: v.literal(true) });

export type ToRoom = v.InferOutput<typeof toRoom>;
export type FromRoom = v.InferOutput<typeof fromRoom>;
export type BatchToRoom = v.InferOutput<typeof batchToRoom>;
type BatchFromRoom = v.InferOutput<typeof batchFromRoom>;

/** Name of the channel for messages from gateways to a room's server. */
export const roomChannel = (room: string): string => `session:${room}:in`;
/** Name of the channel for heartbeats from a room's server. */
export const beatChannel = (room: string): string => `session:${room}:owner`;
/** Name of the channel for messages from a room's server to a gateway over one link. */
export const linkChannel = (link: string): string => `session:link:${link}`;

export const encode = (
  message: BatchToRoom | BatchFromRoom | v.InferOutput<typeof beat> | v.InferOutput<typeof lost>,
): Uint8Array => encodeMessage(message);

/** @returns undefined if the bytes are not a valid message */
export const decodeToRoom = (bytes: Uint8Array) => decodeMessage(batchToRoom, bytes);
/** @returns undefined if the bytes are not a valid message */
export const decodeFromRoom = (bytes: Uint8Array) =>
  decodeMessage(v.union([batchFromRoom, lost]), bytes);
/** @returns undefined if the bytes are not a valid message */
export const decodeBeat = (bytes: Uint8Array) => decodeMessage(beat, bytes);

type OneItem = Exclude<FromRoom, { what: 'event' }>;

/**
 * Collects the items of the next message from a room to a gateway. An event that is sent to several
 * connections becomes one item.
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
  /**
   * For each event's message object, the index of the item that sends it. A message must not change
   * once it has been added.
   */
  private readonly places = new Map<unknown, number>();
  /**
   * For each connection, the index of its last item. It is used to keep the connection's events in
   * order.
   */
  private readonly last = new Map<number, number>();

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether any item ends a connection. */
  get hasEnd(): boolean {
    return this.items.some(({ what }) => what === 'end');
  }

  /**
   * Adds an event for a connection. If an item already sends this message to other connections,
   * adds the connection to that item, unless this would change the order of the connection's items.
   */
  event(connection: number, name: EventName, message: unknown): void {
    const place = this.places.get(message) ?? -1;
    const known = this.items[place];
    const isInOrder = (this.last.get(connection) ?? -1) < place;
    if (isInOrder && known.what === 'event' && known.name === name) {
      known.to.push(connection);
      this.last.set(connection, place);
      return;
    }
    this.places.set(message, this.items.length);
    this.last.set(connection, this.items.length);
    this.items.push({ what: 'event', name, message, to: [connection] });
  }

  add(item: OneItem): void {
    this.last.set(item.connection, this.items.length);
    this.items.push(item);
  }

  /** Removes and returns all items. @param present connections that are in the room */
  take(present: ReadonlySet<number>): FromRoom[] {
    const taken = this.items.map(
      (item): FromRoom =>
        item.what === 'event' ? { ...item, to: shorter(item.to, present) } : item,
    );
    this.items = [];
    this.places.clear();
    this.last.clear();
    return taken;
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
