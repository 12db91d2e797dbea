/**
 * Executes incoming OSC messages as commands in rooms, with the same checks and limits as visitors'
 * commands.
 */

import { BlockList, isIPv6 } from 'node:net';
import * as v from 'valibot';
import { presence } from '../../shared/host/api.ts';
import { OSC_NAME } from '../../shared/names.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { ActName } from '../extensions/extension.ts';
import type { Clock } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { chargeCommand, parseCommand } from '../realtime/commands/client-messages.ts';
import type { SystemActor, SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import {
  Allowance,
  type Limits,
  type RejectionCounts,
} from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { PlantedSeed } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { decodeOsc, type OscArgument, OscError, type OscMessage } from './osc-codec.ts';

export interface OscInputOptions {
  readonly rooms: {
    /** The rooms that run on this server, by name. */
    readonly roomServers: ReadonlyMap<string, RoomServer>;
    readonly names: readonly string[];
    /** Returns whether another server of the cluster runs a room. */
    isElsewhere(room: string): boolean;
  };
  /** Sends a datagram to the other servers of the cluster. */
  readonly passOn?: (bytes: Uint8Array) => void;
  /** Pauses or resumes visitors' commands in a room. @throws Refusal */
  readonly pause: (room: string, paused: boolean) => void | Promise<void>;
  /** IP addresses that may send messages; if absent, all addresses may. */
  readonly allowed?: readonly string[] | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
  readonly onRefused?: ((room: string, what: string, reason: Reason) => void) | undefined;
}

const number = v.pipe(v.number(), v.finite());
const place = v.pipe(number, v.transform(Math.round));
const index = v.pipe(number, v.integer());
/** Index or name of a gallery entry. */
const named = v.union([index, v.pipe(v.string(), v.maxLength(64))]);
/** Index or name of a gallery entry; absent for a random seed. */
const entry = v.optional(named);

/** Schemas of the messages' arguments, by the last part of the OSC address. */
const MESSAGES = {
  plant: v.strictTuple([place, place, entry]),
  transform: v.strictTuple([index, entry]),
  graft: v.strictTuple([number, number, number, named]),
  wound: v.pipe(
    v.tupleWithRest([number, number, number], number),
    v.check((values) => values.length % 2 === 1, 'each point needs x and y'),
  ),
  presence: v.strictTuple([place, place, number]),
  pause: v.strictTuple([v.union([v.boolean(), v.pipe(number, v.picklist([0, 1]))])]),
} as const;

const ADDRESS = /^\/vivarium\/([a-z0-9-]{1,32}|\*)\/(plant|wound|transform|graft|presence|pause)$/;

/** Handles incoming OSC datagrams for all open rooms. */
export class OscInput {
  private readonly actors = new WeakMap<RoomServer, SystemActor>();
  private readonly allowance: Allowance;
  private readonly allowed: BlockList | undefined;

  constructor(private readonly options: OscInputOptions) {
    this.allowance = new Allowance(options.limits, options.clock);
    this.allowed = options.allowed && listOf(options.allowed);
  }

  /**
   * Handles a datagram from the network. Never rejects, no matter what the datagram contains.
   *
   * @param from the sender's IP address
   */
  async receive(bytes: Uint8Array, from: string): Promise<void> {
    const { rejections } = this.options;
    if (this.allowed && !this.allowed.check(from, versionOf(from))) {
      rejections.count('wrong-sender');
      return;
    }
    if (!this.allowance.take('bytesPerSecond', bytes.length)) {
      rejections.count('too-fast');
      return;
    }
    const messages = decoded(bytes);
    if (!messages) {
      rejections.count('malformed');
      return;
    }
    this.pass(bytes, messages);
    await Promise.all(messages.map((message) => this.handle(message)));
  }

  /**
   * Handles a datagram that another server has passed on. Ignores messages for rooms that run on
   * other servers.
   */
  receivePassed(bytes: Uint8Array): void {
    const { rooms } = this.options;
    const running = [...rooms.roomServers.keys()].filter((room) => !rooms.isElsewhere(room));
    // Decoding may fail if the other server runs another release.
    for (const message of decoded(bytes) ?? [])
      if (concerns(message, running)) void this.handle(message);
  }

  /**
   * Passes a datagram on to the other servers if one of its messages is for a room of another
   * server and the rate limit permits it.
   */
  private pass(bytes: Uint8Array, messages: readonly OscMessage[]): void {
    const { rooms, rejections, passOn } = this.options;
    const elsewhere = rooms.names.filter((name) => rooms.isElsewhere(name));
    if (!messages.some((message) => concerns(message, elsewhere))) return;
    if (this.allowance.take('messagesPerSecond', 1)) passOn?.(bytes);
    else rejections.count('too-fast');
  }

  private async handle({ address, args }: OscMessage): Promise<void> {
    const { rooms: all, rejections } = this.options;
    const [, room, what] = ADDRESS.exec(address) ?? [];
    const rooms = room === '*' ? [...all.roomServers.keys()] : [room];
    const handleIn = async (name: string): Promise<void> => {
      try {
        this.allowance.charge('messagesPerSecond');
        if (!what) throw new Refusal('unknown-message');
        await this.execute(name, what as keyof typeof MESSAGES, args);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        rejections.count(error.reason);
        if (what) this.options.onRefused?.(name, what, error.reason);
      }
    };
    const here = (what ? rooms : ['']).filter((name) => !all.isElsewhere(name));
    // Handle the rooms in parallel, because a room may take long to answer.
    await Promise.all(here.map(handleIn));
  }

  /** Executes a message in a room. @throws Refusal */
  private async execute(
    room: string,
    what: keyof typeof MESSAGES,
    args: readonly OscArgument[],
  ): Promise<void> {
    const roomServer = this.options.rooms.roomServers.get(room);
    if (!roomServer) throw new Refusal('no-such-room', room);
    const parsed = v.safeParse(MESSAGES[what], args.map(jsValue));
    if (!parsed.success) throw new Refusal('bad-message', `${what}: ${parsed.issues[0].message}`);
    const values = parsed.output;
    if (what === 'pause') {
      // Each pause is stored and sent to all clients, so its rate limit must be low. Use the limit
      // for seed previews.
      this.allowance.charge('previewsPerSecond');
      await this.options.pause(room, values[0] === true || values[0] === 1);
      return;
    }
    if (what === 'presence') {
      const [x, y, strength] = values;
      const report = v.safeParse(presence, { x, y, strength });
      if (!report.success) throw new Refusal('bad-message', report.issues[0].message);
      const { hall, clock } = roomServer;
      if (!hall.sense(report.output, clock.now())) throw new Refusal('off-grid');
      return;
    }
    const command = commandOf(roomServer.room, what, values);
    chargeCommand(this.allowance, command.what, command);
    const actor = getOrAdd(this.actors, roomServer, () =>
      roomServer.dispatcher.createSystemActor(OSC_NAME, true),
    );
    const { refused } = await actor.act(command);
    // The metrics count the refusal at the end of the room's tick, so do not count it here.
    if (refused) this.options.onRefused?.(room, what, refused.reason);
  }
}

/** Decodes a datagram; undefined if it is malformed. */
function decoded(bytes: Uint8Array): readonly OscMessage[] | undefined {
  try {
    return decodeOsc(bytes);
  } catch (error) {
    if (error instanceof OscError) return undefined;
    throw error;
  }
}

/** Returns whether a message is addressed to at least one of the given rooms. */
function concerns({ address }: OscMessage, rooms: readonly string[]): boolean {
  const room = ADDRESS.exec(address)?.[1];
  return room === '*' ? rooms.length > 0 : room !== undefined && rooms.includes(room);
}

/** Converts a message's arguments to a command. @throws Refusal 'no-such-seed' or 'bad-message' */
function commandOf(
  room: Room,
  type: Exclude<keyof typeof MESSAGES, 'pause' | 'presence'>,
  values: readonly unknown[],
) {
  const [a, b, c, ...more] = values;
  const parse = (what: ActName, parameters: object) => {
    const { id, ...command } = parseCommand(what, { ...parameters, id: 0 });
    return { what, ...command } as SystemCommand & { readonly what: ActName };
  };
  if (type === 'plant') return parse('plant', { x: a, y: b, seed: seedOf(room, c) });
  if (type === 'transform') return parse('transform', { organism: a, seed: seedOf(room, b) });
  if (type === 'wound') return parse('damage', { radius: c, points: [a, b, ...more] });
  return parse('graft', { radius: c, points: [a, b], seed: seedOf(room, more[0]) });
}

/**
 * Finds a gallery seed by the index or name of its entry. Returns a random seed if `entry` is
 * undefined.
 *
 * @throws Refusal 'no-such-seed'
 */
function seedOf({ species: { gallery } }: Room, entry: unknown): PlantedSeed {
  if (entry === undefined) return { from: 'prior' };
  const index =
    typeof entry === 'string'
      ? gallery.findIndex(({ name }) => name.toLowerCase() === entry.toLowerCase())
      : (entry as number);
  if (index < 0) throw new Refusal('no-such-seed', String(entry));
  return { from: 'gallery', index };
}

function jsValue({ type, value }: OscArgument): unknown {
  if (type === 'bigint') return Number(value);
  // Convert types without a value to null, because `undefined` would mean a missing argument.
  return type === 'null' || type === 'bang' ? null : value;
}

const versionOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/**
 * Creates a list that matches an address in any notation. For example, an IPv4 address may be
 * written as an IPv6 address.
 */
function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address, versionOf(address));
  return list;
}
