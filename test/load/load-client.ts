/**
 * The client of load tests and benches: one visitor's connection, as light as it can be. It speaks
 * Engine.IO 4 and Socket.IO 5 on a WebSocket of its own: a thousand of Socket.IO's clients in one
 * process take longer over a frame than the server does over the tick, and would measure
 * themselves.
 * https://socket.io/docs/v4/engine-io-protocol/ https://socket.io/docs/v4/socket-io-protocol/
 */
import WebSocket from 'ws';
import { RoomModel } from '../../client/room/room-model.ts';
import { readHeader } from '../../shared/codec/frame.ts';
import type { TierName } from '../../shared/codec/tiers.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { addCounts } from './figures.ts';
import { LightSocket, type SocketEnd } from './light-socket.ts';
import { sharedNow } from './measure.ts';
import type { PacketCache } from './packet-cache.ts';

/** Engine.IO's text messages, by their first letter. */
const OPEN = 0x30;
const PING = 0x32;
const PONG = '3';

/** What a client that draws nothing acts on, besides frames. */
const HEARD: ReadonlySet<string> = new Set(['welcome', 'accepted', 'rejected']);

/** What WebSocket adds to a message of so many bytes. */
const framing = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);

export interface LoadClientOptions {
  /** http://host:port */
  readonly url: string;
  /** Shared by all clients of a process. */
  readonly packets: PacketCache;
  /** What it asks for once connected; absent: it stays outside. */
  readonly join?: Omit<Command<'join'>, 'protocol'>;
  /**
   * The best tier it asks for, looking at the whole room; absent: it does not say what it looks at.
   */
  readonly best?: TierName;
  /** Whether it decodes and checks its frames; otherwise only their heads are read. */
  readonly verifies?: boolean;
  /** Whether it acknowledges frames (true). */
  readonly acknowledges?: boolean;
  /** ms after which a lost connection is dialled again; absent: never. */
  readonly redial?: number | undefined;
  readonly onConnect?: () => void;
  /** The server, or the line, has ended its connection. */
  readonly onLost?: () => void;
  /** Hears each event, after what is done about it here. */
  readonly onEvent?: <N extends EventName>(name: N, message: Event<N>) => void;
}

/** One visitor's connection, which is dialled at once. */
export class LoadClient {
  /** By reason. */
  readonly refusals: Record<string, number> = {};
  /** Frames by quality. */
  tiers: Record<string, number> = {};
  /** Of frames: their ticks, and when they were handled, ms of `sharedNow`. */
  ticks: number[] = [];
  times: number[] = [];
  /** Frames whose every block was decoded and checked. */
  checked = 0;
  outOfStep = 0;
  accepted = 0;
  /** Connections that the server, or the line, has ended. */
  lost = 0;
  /** Connections that this side has not ended, also those that never opened, by how they ended. */
  ends: Record<SocketEnd, number> = {};
  /** That came down, framing of WebSocket included. */
  bytes = 0;
  lastTick = -1;
  welcome: Event<'welcome'> | undefined;
  /** The pages' model of the room, if it verifies. */
  private model: RoomModel | undefined;
  private nextId = 1;
  private socket: WebSocket | LightSocket | undefined;
  private isConnected = false;
  private isOver = false;

  constructor(private readonly options: LoadClientOptions) {
    this.dial();
  }

  /** A picture has come. */
  get joined(): boolean {
    return this.lastTick >= 0;
  }

  get connected(): boolean {
    return this.isConnected;
  }

  /** What was seen so far is not measured. */
  begin(): void {
    this.ticks = [];
    this.times = [];
    this.tiers = {};
    this.bytes = 0;
    this.outOfStep = 0;
    this.checked = 0;
    this.lost = 0;
    this.ends = {};
  }

  /** Sends a command with a number of its own; without a connection, nothing. */
  command<N extends 'plant' | 'damage'>(name: N, message: Omit<Command<N>, 'id'>): void {
    this.say(name, { id: this.nextId++, ...message });
  }

  send<N extends CommandName>(name: N, message: Command<N>): void {
    this.say(name, message);
  }

  /** Sends anything, whether the protocol knows it or not. */
  say(name: string, message: unknown): void {
    if (this.isConnected) this.socket!.send(this.options.packets.write(name, message));
  }

  close(): void {
    this.isOver = true;
    this.socket?.close();
  }

  private dial(): void {
    const { url, verifies } = this.options;
    const path = '/socket.io/?EIO=4&transport=websocket';
    if (!verifies && url.startsWith('http:')) {
      this.socket = new LightSocket({
        url: `${url}${path}`,
        onMessage: (message, isBinary, length) => {
          this.bytes += length;
          if (isBinary) this.glance(message);
          else this.answer(message);
        },
        onClose: (how) => this.redial(how),
      });
      return;
    }
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, {
      perMessageDeflate: false,
    });
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      this.bytes += data.length + framing(data.length);
      if (isBinary) this.receive(data);
      else this.answer(data);
    });
    let wasOpen = false;
    socket.on('open', () => {
      wasOpen = true;
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.redial(wasOpen ? `${code}` : 'refused'));
  }

  private answer(text: Buffer): void {
    if (text[0] === OPEN) this.socket!.send(this.options.packets.greeting);
    else if (text[0] === PING) this.socket!.send(PONG);
  }

  private redial(how: SocketEnd): void {
    const { redial, onLost } = this.options;
    const wasConnected = this.isConnected;
    this.isConnected = false;
    if (this.isOver) return;
    this.ends[how] = (this.ends[how] ?? 0) + 1;
    if (wasConnected) {
      this.lost++;
      onLost?.();
    }
    if (redial !== undefined) setTimeout(() => this.isOver || this.dial(), redial);
  }

  /** Reads no more of a packet than a client needs that draws nothing. */
  private glance(packet: Buffer): void {
    const { packets, onEvent } = this.options;
    const name = packets.eventIn(packet);
    if (name === 'frame' && !onEvent) this.see(packets.bytesIn(packet, name));
    else if (name === undefined || onEvent || HEARD.has(name)) this.receive(packet);
  }

  private receive(bytes: Buffer): void {
    const { packets, join, onConnect } = this.options;
    const packet = packets.read(bytes);
    if (packet.what === 'connected') {
      this.isConnected = true;
      if (join) this.say('join', { protocol: PROTOCOL_VERSION, ...join });
      onConnect?.();
    } else if (packet.what === 'event') this.hear(packet.name as EventName, packet.message);
    else this.socket!.close();
  }

  private hear(name: EventName, message: unknown): void {
    if (name === 'frame') this.see(message as Event<'frame'>);
    else if (name === 'welcome') this.enter(message as Event<'welcome'>);
    else if (name === 'accepted') this.accepted++;
    else if (name === 'rejected') {
      addCounts(this.refusals, { [(message as Event<'rejected'>).reason]: 1 });
    }
    this.options.onEvent?.(name, message as never);
  }

  private enter(welcome: Event<'welcome'>): void {
    const { best, verifies } = this.options;
    const { width, height } = welcome.room;
    this.welcome = welcome;
    this.model = verifies ? new RoomModel((name, sent) => this.answerFrame(name, sent)) : undefined;
    this.model?.receive('welcome', welcome);
    if (!best) return;
    this.send('look', { hidden: false, x: 0, y: 0, width, height, pixels: 4, best });
  }

  private see(frame: Uint8Array): void {
    const { tick, tier } = readHeader(frame);
    const { outOfStep } = this;
    if (this.model) {
      this.model.receive('frame', frame);
      if (this.outOfStep === outOfStep) this.checked++;
    } else this.answerFrame('received', { tick });
    this.lastTick = tick;
    this.ticks.push(tick);
    this.times.push(sharedNow());
    if (tier !== undefined) this.tiers[tier] = (this.tiers[tier] ?? 0) + 1;
  }

  private answerFrame(name: CommandName, message: unknown): void {
    const { packets, acknowledges = true } = this.options;
    if (name === 'resync') this.outOfStep++;
    if (name !== 'received') this.say(name, message);
    else if (acknowledges) {
      const { tick } = message as Command<'received'>;
      packets.sendLater(() => this.acknowledge(tick));
    }
  }

  private acknowledge(tick: number): void {
    if (!this.isConnected) return;
    const { bytes, frame } = this.options.packets.received(tick);
    if (this.socket instanceof LightSocket) this.socket.sendFrame(frame);
    else this.socket!.send(bytes);
  }
}
