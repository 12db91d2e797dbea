/** A visitor without a browser: a real socket, and the pages' model of the room. */
import { io, type Socket } from 'socket.io-client';
import { RoomModel } from '../../client/room/room-model.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { TierName } from '../../shared/codec/tiers.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import type { LifeEvent } from '../../shared/vocabulary.ts';
import { equalPlanes } from './compare.ts';
import { Changes, optional } from './waiting.ts';

interface Heard {
  readonly name: EventName | 'disconnect' | 'connect_error';
  readonly message: unknown;
}

/** One visitor; connects at once, and keeps all that it hears. */
export class Visitor {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  readonly life: LifeEvent[] = [];
  readonly model = new RoomModel((name, message) => {
    if (name === 'resync') this.lost += (message as Command<'resync'>).chunks.length;
    this.send(name, message);
  });
  /** Chunks that were out of step. */
  lost = 0;
  welcome: Event<'welcome'> | undefined;
  private readonly changes = new Changes();
  private nextId = 1;

  /**
   * @param headers of the handshake, as a proxy or a browser would send them
   * @param greeting what is said with it, as pages do with their `join`
   */
  constructor(port: number, headers: Record<string, string> = {}, greeting: object = {}) {
    this.socket = io(`http://127.0.0.1:${port}`, {
      parser,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      extraHeaders: headers,
      auth: greeting,
    });
    this.socket.onAny((name: EventName, message) => this.take({ name, message }));
    this.socket.on('disconnect', (reason) => {
      this.take({ name: 'disconnect', message: reason });
      if (reason !== 'io client disconnect')
        this.changes.end(`the connection has ended: ${reason}`);
    });
    this.socket.on('connect_error', ({ message }) => {
      this.take({ name: 'connect_error', message: undefined });
      this.changes.end(`there is no connection: ${message}`);
    });
  }

  /** Joins and waits for the first picture. */
  static async join(
    port: number,
    room = 'garden',
    name?: string,
    wishes: Partial<Command<'join'>> & { readonly headers?: Record<string, string> } = {},
  ): Promise<Visitor> {
    const { headers, ...more } = wishes;
    const visitor = new Visitor(port, headers);
    visitor.requestJoin({ room, ...(name && { name }), ...more });
    await visitor.until(() => visitor.tick !== undefined);
    return visitor;
  }

  /** Asks to join, and leaves at once. @returns 'welcome', or the reason of the refusal */
  static async knock(
    port: number,
    wishes: Partial<Command<'join'>> = {},
    headers?: Record<string, string>,
  ): Promise<string> {
    const visitor = new Visitor(port, headers);
    visitor.requestJoin(wishes);
    const answer = await visitor.next(({ name }) => name === 'welcome' || name === 'rejected');
    visitor.leave();
    return (answer as Partial<Event<'rejected'>>).reason ?? 'welcome';
  }

  /** Asks to join `garden`, and waits for nothing. */
  requestJoin(wishes: Partial<Command<'join'>> = {}): void {
    this.send('join', { protocol: PROTOCOL_VERSION, room: 'garden', ...wishes });
  }

  /** The first reason, before or after this call, for which something was refused. */
  async refusal(): Promise<string> {
    const answer = await this.next(({ name }) => name === 'rejected');
    return (answer as Event<'rejected'>).reason;
  }

  get planes(): Planes | undefined {
    return this.model.planes;
  }

  get tick(): number | undefined {
    return this.model.tick;
  }

  /** Of the latest frame. */
  get tier(): TierName | undefined {
    return this.model.quality?.tier;
  }

  /** Says something, whether the protocol knows it or not. */
  say(name: string, ...messages: unknown[]): void {
    this.socket.emit(name, ...messages);
  }

  send<N extends CommandName>(name: N, message: Command<N>): void {
    this.say(name, message);
  }

  /** Sends a command and waits for its answer. */
  ask(
    name: Exclude<CommandName, 'join' | 'look' | 'cursor' | 'received' | 'resync'>,
    message: Record<string, unknown>,
  ): Promise<Event<'accepted'> | Event<'rejected'>> {
    const id = this.nextId++;
    this.say(name, { id, ...message });
    return this.next(
      ({ name: event, message: answer }) =>
        (event === 'accepted' || event === 'rejected') && (answer as { id?: number }).id === id,
    ) as Promise<Event<'accepted'> | Event<'rejected'>>;
  }

  /**
   * Plants a seed.
   *
   * @returns the organism's number, once it is born
   * @throws Error the seed is refused
   */
  async plant(x: number, y: number, seed: object = { from: 'gallery', index: 0 }): Promise<number> {
    const before = this.life.length;
    const answer = await this.ask('plant', { x, y, seed });
    if ('reason' in answer) throw new Error(`a seed was refused at ${x}, ${y}: ${answer.reason}`);
    const planted = () =>
      this.life
        .slice(before)
        .flatMap((event) => (event.what === 'born' ? [event.organism] : []))
        .find(({ planter }) => planter.id === this.welcome!.you.id);
    await this.until(() => planted() !== undefined);
    return planted()!.id;
  }

  /** Plants a seed and waits until its organism is at rest. @returns the organism's number */
  async grow(...of: Parameters<Visitor['plant']>): Promise<number> {
    const id = await this.plant(...of);
    await this.until(() => this.life.some((event) => event.what === 'asleep' && event.id === id));
    return id;
  }

  /** Crosses two organisms. @returns the seed, to be planted @throws Error they cannot be crossed */
  async cross(a: number, b: number, more: object = {}): Promise<object> {
    const answer = await this.ask('cross', { a, b, mix: 0.5, ...more });
    if (!('seed' in answer) || !answer.seed) throw new Error('no seed came of the cross');
    return { from: 'hand', seed: answer.seed.id };
  }

  /** The first message heard, before or after this call, that fits. */
  next(fits: (heard: Heard) => boolean): Promise<unknown> {
    const heard = this.until(() => this.heard.some(fits));
    return optional(heard.then(() => this.heard.find(fits)?.message));
  }

  /** The messages of an event so far. */
  all<N extends EventName>(name: N): Event<N>[] {
    return this.heard.filter((one) => one.name === name).map(({ message }) => message as Event<N>);
  }

  /**
   * Waits until a condition holds. Checks it after each message.
   *
   * @throws Error the server or the network ends the connection first
   */
  until(isSo: () => boolean): Promise<void> {
    return this.changes.until(isSo);
  }

  /** Waits until the picture is exactly this one: what moves may be told a little late. */
  sees(planes: Planes): Promise<void> {
    return this.until(() => this.planes !== undefined && equalPlanes(this.planes, planes));
  }

  leave(): void {
    this.socket.close();
  }

  private take(heard: Heard): void {
    this.heard.push(heard);
    if (heard.name === 'welcome') this.welcome = heard.message as Event<'welcome'>;
    if (heard.name === 'life') this.life.push(...(heard.message as Event<'life'>).events);
    this.model.receive(heard.name, heard.message);
    this.changes.changed();
  }
}

/**
 * Creatures of the shipped gallery in rows, one for each of the spots, at rest.
 *
 * @returns when the last has come to rest
 */
export async function plantGarden(
  visitors: readonly Visitor[],
  names: readonly string[],
  spot: (i: number) => readonly [number, number],
): Promise<void> {
  const [first] = visitors;
  const gallery = first.welcome!.checkpoint.gallery.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    const [x, y] = spot(i);
    const seed = { from: 'gallery', index: gallery.indexOf(name) };
    await visitors[i % visitors.length].plant(x, y, seed);
  }
  await first.until(
    () => first.life.filter(({ what }) => what === 'asleep').length >= names.length,
  );
}
