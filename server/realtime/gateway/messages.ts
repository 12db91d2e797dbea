/**
 * Messages between the server of a connection and the server of its room. Each server numbers its
 * connections. Messages are numbered too, so that a lost one is noticed: then the connections' server
 * opens a new link, over which all of them join again. Frames go by streaming/frame-messages.ts.
 */
import * as v from 'valibot';
import { TIER_NAMES } from '../../../shared/codec/tiers.ts';
import { COMMANDS, type CommandName, isCommandName } from '../../../shared/protocol/commands.ts';
import { type EventName, isEventName } from '../../../shared/protocol/events.ts';
import { packedPointer } from '../../../shared/protocol/pointers.ts';
import { NOTICES, REASONS } from '../../../shared/protocol/reasons.ts';
import { decodeMessage, encodeMessage } from '../../cluster/bus/bus.ts';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(64));
const connection = whole;
const { as, pass, unwritable, resume, mark, session } = COMMANDS.join.entries;

const entry = v.object({
  ...{ as, pass, unwritable, resume, mark, session },
  name: v.pipe(v.string(), v.maxLength(256)),
  notice: v.optional(v.picklist(NOTICES)),
  /** Address key of the connection. */
  address: name,
});

/** An item to the room. */
const toRoom = v.variant('what', [
  v.object({ what: v.literal('join'), connection, entry }),
  /** The message is checked as that of a page. */
  v.object({
    what: v.literal('command'),
    connection,
    name: v.custom<CommandName>(isCommandName),
    message: v.unknown(),
  }),
  /** Frames that clients have drawn since the last item: connection, tick of the latest frame, number. */
  v.object({ what: v.literal('drawn'), clients: v.array(v.tuple([whole, whole, whole])) }),
  /** Where clients point now; by connection instead of participant. */
  v.object({ what: v.literal('cursors'), cursors: v.array(packedPointer) }),
  v.object({ what: v.literal('leave'), connection }),
]);

const connections = v.array(connection);

/** An item from the room. */
const fromRoom = v.variant('what', [
  /** An event, made by the room's server for pages. */
  v.object({
    what: v.literal('event'),
    to: v.union([
      v.object({ only: connections }),
      /** All that are in the room by now, but for these. */
      v.object({ except: connections }),
    ]),
    name: v.custom<EventName>(isEventName),
    message: v.unknown(),
  }),
  /** `opening`: the fields of the common part that this link has not carried yet; `own`: the personal part. */
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
    /** Of a command; undefined: it is the join that is refused. */
    id: v.optional(whole),
  }),
  v.object({ what: v.literal('end'), connection, reason: v.picklist(REASONS) }),
  /** From now on the client is sent frames, and sees everything until it looks elsewhere. */
  v.object({
    what: v.literal('stream'),
    connection,
    tier: v.optional(v.picklist(TIER_NAMES)),
  }),
  v.object({ what: v.literal('stop'), connection }),
]);

/** Maximum number of links that a new one replaces: the last that the owner has answered over, and later ones. */
export const MAX_REPLACED = 8;

/** Maximum number of items in a message. */
const MAX_ITEMS = 2 ** 17;

/**
 * Drops unknown items. While servers are updated, an item of a later release must not cost all
 * connections of a server their link.
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
   * In the first message: the server of the connections, and the links that this one may replace.
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

/** Messages to a room's server. */
export const roomChannel = (room: string): string => `session:${room}:in`;
/** Heartbeats of a room's server. */
export const beatChannel = (room: string): string => `session:${room}:owner`;
/** Messages of a room's server over a link. */
export const linkChannel = (link: string): string => `session:link:${link}`;

export const encode = (
  message: BatchToRoom | BatchFromRoom | v.InferOutput<typeof beat> | v.InferOutput<typeof lost>,
): Uint8Array => encodeMessage(message);

/** @returns undefined if it is none */
export const decodeToRoom = (bytes: Uint8Array) => decodeMessage(batchToRoom, bytes);
/** @returns undefined if it is none */
export const decodeFromRoom = (bytes: Uint8Array) =>
  decodeMessage(v.union([batchFromRoom, lost]), bytes);
/** @returns undefined if it is none */
export const decodeBeat = (bytes: Uint8Array) => decodeMessage(beat, bytes);

type OneItem = Exclude<FromRoom, { what: 'event' }>;

/** Items of the next message. An event for several connections is one item. */
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
  /** Index of the item of each message. Messages do not change after they were sent. */
  private readonly places = new Map<unknown, number>();
  /** Index of the last item of each connection. */
  private readonly last = new Map<number, number>();

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether it tells a page that its connection is over. */
  get hasEnd(): boolean {
    return this.items.some(({ what }) => what === 'end');
  }

  /** Adds an event for a connection. */
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

  /** Adds an item for one connection. */
  add(item: OneItem): void {
    this.last.set(item.connection, this.items.length);
    this.items.push(item);
  }

  /** @param present the connections that are in the room by now @returns the items; none are left */
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

/** Lists the receivers of an event, or the connections that do not get it, whichever are fewer. */
function shorter(to: number[], present: ReadonlySet<number>) {
  if (2 * to.length <= present.size || !to.every((one) => present.has(one))) return { only: to };
  const getting = new Set(to);
  const except = [...present].filter((connection) => !getting.has(connection));
  return except.length < to.length ? { except } : { only: to };
}
