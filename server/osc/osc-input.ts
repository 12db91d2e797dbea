/** What a show's machines want of the rooms, by OSC: the way of every visitor's wish, from somebody of the house. */
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { COMMANDS } from '../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { Clock } from '../platform/clock.ts';
import { Allowance, costsOf, type Limits } from '../realtime/admission/command-costs.ts';
import type { RejectionCounts } from '../realtime/admission/rejection-counts.ts';
import type { SystemActor, SystemCommand } from '../realtime/commands/system-actor.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { decodeOsc, type OscArgument, OscError, type OscMessage } from './osc-codec.ts';

export interface OscInputOptions {
  /** Of the open rooms. */
  readonly roomServers: ReadonlyMap<string, RoomServer>;
  /** Lets nobody do anything but look, or lifts that. @throws Refusal */
  readonly pause: (room: string, paused: boolean) => void | Promise<void>;
  /** Addresses that may send; absent: any that can reach the port. */
  readonly allowed?: readonly string[] | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
  /** What was asked of a room was refused. */
  readonly onRefused?: ((room: string, what: string, reason: Reason) => void) | undefined;
}

type Wish = SystemCommand & { readonly what: 'plant' | 'damage' };

const number = v.pipe(v.number(), v.finite());
const place = v.pipe(number, v.transform(Math.round));

/** Values of each message, by the last part of its address. */
const MESSAGES = {
  plant: v.union([
    v.strictTuple([place, place]),
    v.strictTuple([place, place, v.pipe(number, v.integer())]),
    v.strictTuple([place, place, v.pipe(v.string(), v.maxLength(64))]),
  ]),
  wound: v.pipe(
    v.tupleWithRest([number, number, number], number),
    v.check((values) => values.length % 2 === 1, 'points come in pairs'),
  ),
  pause: v.strictTuple([v.union([v.boolean(), v.pipe(number, v.picklist([0, 1]))])]),
} as const;

const ADDRESS = /^\/vivarium\/([a-z0-9-]{1,32}|\*)\/(plant|wound|pause)$/;

export class OscInput {
  private readonly actors = new WeakMap<RoomServer, SystemActor>();
  private readonly allowance: Allowance;

  constructor(private readonly options: OscInputOptions) {
    this.allowance = new Allowance(options.limits, options.clock.now());
  }

  /**
   * A datagram has come. Whatever is in it, nothing is thrown.
   *
   * @param from address of its sender
   */
  async receive(bytes: Uint8Array, from: string): Promise<void> {
    const { rejections: refusals, allowed } = this.options;
    if (allowed && !allowed.includes(plain(from))) {
      refusals.count('wrong-sender');
      return;
    }
    let messages: readonly OscMessage[];
    try {
      this.take('bytesPerSecond', bytes.length);
      messages = decodeOsc(bytes);
    } catch (error) {
      if (error instanceof Refusal) refusals.count(error.reason);
      else if (error instanceof OscError) refusals.count('malformed');
      else throw error;
      return;
    }
    await Promise.all(messages.map((message) => this.handle(message)));
  }

  private async handle({ address, args }: OscMessage): Promise<void> {
    const { roomServers, rejections: refusals } = this.options;
    const [, room, what] = ADDRESS.exec(address) ?? [];
    const rooms = room === '*' ? [...roomServers.keys()] : [room];
    for (const name of what ? rooms : ['']) {
      try {
        this.take('messagesPerSecond', 1);
        if (!what) throw new Refusal('unknown-message');
        await this.do(name, what as keyof typeof MESSAGES, args);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusals.count(error.reason);
        if (what) this.options.onRefused?.(name, what, error.reason);
      }
    }
  }

  /** @throws Refusal */
  private async do(
    room: string,
    what: keyof typeof MESSAGES,
    args: readonly OscArgument[],
  ): Promise<void> {
    const roomServer = this.options.roomServers.get(room);
    if (!roomServer) throw new Refusal('no-such-room', room);
    const parsed = v.safeParse(MESSAGES[what], args.map(jsValue));
    if (!parsed.success) throw new Refusal('bad-message', `${what}: ${parsed.issues[0].message}`);
    const values = parsed.output;
    if (what === 'pause') {
      // Each is kept, and told to everybody: of these come as few as of previews.
      this.take('previewsPerSecond', 1);
      await this.options.pause(room, values[0] === true || values[0] === 1);
      return;
    }
    const act = what === 'plant' ? planting(roomServer, values) : wounding(values as number[]);
    for (const [rate, amount] of costsOf(act.what, act)) this.take(rate, amount);
    const { refused } = await this.actorIn(roomServer).act(act);
    // What the room refuses is counted with the tick.
    if (refused) this.options.onRefused?.(room, what, refused.reason);
  }

  private actorIn(roomServer: RoomServer): SystemActor {
    const known =
      this.actors.get(roomServer) ?? roomServer.createSystemActor(DEFAULTS.osc.planter, true);
    this.actors.set(roomServer, known);
    return known;
  }

  /** @throws Refusal too-fast */
  private take(rate: Parameters<Allowance['take']>[0], amount: number): void {
    if (!this.allowance.take(rate, amount, this.options.clock.now())) {
      throw new Refusal('too-fast', rate);
    }
  }
}

/** @throws Refusal no-such-seed, bad-message */
function planting({ room }: RoomServer, [x, y, wanted]: readonly unknown[]): Wish {
  if (wanted === undefined) return checked('plant', { x, y, seed: { from: 'prior' } });
  const named = (name: string): number => {
    const { gallery } = room.species;
    return gallery.findIndex((entry) => entry.name.toLowerCase() === name.toLowerCase());
  };
  const index = typeof wanted === 'string' ? named(wanted) : (wanted as number);
  if (index < 0) throw new Refusal('no-such-seed', String(wanted));
  return checked('plant', { x, y, seed: { from: 'gallery', index } });
}

/** @throws Refusal bad-message */
function wounding([x, y, radius, ...more]: readonly number[]): Wish {
  return checked('damage', { radius, points: [x, y, ...more] });
}

/** As strict as with visitors. @throws Refusal bad-message */
function checked(what: 'plant' | 'damage', wish: object): Wish {
  const parsed = v.safeParse(COMMANDS[what], { ...wish, id: 0 });
  if (!parsed.success) throw new Refusal('bad-message', parsed.issues[0].message);
  const { id: _, ...act } = parsed.output;
  return { what, ...act } as Wish;
}

function jsValue({ type, value }: OscArgument): unknown {
  if (type === 'bigint') return Number(value);
  return type === 'null' || type === 'bang' ? undefined : value;
}

/** IPv4 in IPv6's clothes is IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
