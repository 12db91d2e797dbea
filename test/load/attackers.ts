/** Visitors of ill will, each of one kind: nothing they do may be felt by the others. */
import { connect } from 'node:net';
import { pack } from 'msgpackr';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import type { Random } from '../../shared/random.ts';
import type { Attack } from './messages.ts';

/** Tries per second of one attacker. */
const RATES: Readonly<Record<Attack, number>> = {
  flood: 5,
  huge: 1,
  nested: 5,
  malformed: 5,
  'slow-handshake': 1,
  storm: 10,
  replay: 2,
  forge: 5,
};
/** Commands of one try to flood: more than may wait for a tick. */
const FLOOD = 40;
/** Sockets that one attacker holds at most. */
const MOST_HELD = 20;

interface Held {
  close(): void;
}

export class Attacker {
  tries = 0;
  /** Connections that the server has closed. */
  closed = 0;
  readonly refusals: Record<string, number> = {};
  private readonly timer: NodeJS.Timeout;
  private readonly held: Held[] = [];
  private socket: Socket | undefined;

  constructor(
    readonly attack: Attack,
    private readonly url: string,
    private readonly room: string,
    private readonly random: Random,
  ) {
    this.timer = setInterval(() => {
      this.tries++;
      this.tryOnce();
    }, 1000 / RATES[attack]);
  }

  close(): void {
    clearInterval(this.timer);
    for (const held of this.held) held.close();
    this.socket?.disconnect();
  }

  private tryOnce(): void {
    const { random } = this;
    switch (this.attack) {
      case 'flood':
        for (let id = 0; id < FLOOD; id++) {
          this.joined()?.emit('damage', { id, radius: 0.5, points: [1, 1] });
        }
        return;
      case 'huge':
        this.joined()?.emit('damage', { id: 1, filler: new Uint8Array(1_000_000) });
        return;
      case 'forge':
        this.joined()?.emit('plant', {
          ...{ id: this.tries, x: 100, y: 100, seed: { from: 'prior' } },
          ...(this.tries % 2 === 0 ? { owner: 1 } : { by: { id: 1, name: 'somebody', hue: 0 } }),
        });
        return;
      case 'replay':
        this.open().emit('join', {
          ...{ protocol: PROTOCOL_VERSION, room: this.room },
          resume: Buffer.from(random.latent(8).buffer).toString('base64url'),
        });
        return;
      case 'storm':
        this.open().once('connect', () => this.held.shift()?.close());
        return;
      case 'nested':
        // Lists of one list of one list: short on the wire, deep to decode.
        this.raw(Buffer.alloc(16_000, 0x91));
        return;
      case 'malformed':
        this.raw(Buffer.from(Array.from({ length: 300 }, () => random.integer(256))));
        return;
      case 'slow-handshake':
        this.halfOpen();
    }
  }

  /** One that has joined, or nothing while it has not. */
  private joined(): Socket | undefined {
    if (!this.socket) {
      this.socket = this.dial({ reconnection: true });
      this.socket.on('connect', () => {
        this.socket!.emit('join', { protocol: PROTOCOL_VERSION, room: this.room });
      });
      // Acknowledges nothing, as one would who wants to fill the server's memory.
      this.socket.on('disconnect', (reason) => {
        if (reason === 'io server disconnect') this.socket!.connect();
      });
    }
    return this.socket.connected ? this.socket : undefined;
  }

  private open(): Socket {
    const socket = this.dial({ reconnection: false });
    this.hold({ close: () => socket.disconnect() });
    return socket;
  }

  private dial(options: { reconnection: boolean }): Socket {
    const socket = io(this.url, {
      ...{ parser, transports: ['websocket'], forceNew: true },
      ...options,
    });
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') this.closed++;
    });
    socket.on('rejected', ({ reason }: { reason: string }) => {
      this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
    });
    return socket;
  }

  /** A connection that says one thing that is no message. */
  private raw(bytes: Uint8Array): void {
    const address = `${this.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address);
    this.hold({ close: () => socket.terminate() });
    socket.on('open', () => {
      socket.send(pack({ type: 0, nsp: '/' }));
      socket.send(bytes);
    });
    socket.on('error', () => {});
    socket.on('close', () => this.closed++);
  }

  /** Begins to ask for a page and never ends. */
  private halfOpen(): void {
    const { hostname, port } = new URL(this.url);
    const socket = connect({ host: hostname, port: Number(port || 80) });
    this.hold({ close: () => socket.destroy() });
    socket.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nX: ');
    const drip = setInterval(() => socket.write('a'), 1_000);
    socket.on('error', () => {});
    socket.on('close', (failed) => {
      clearInterval(drip);
      if (failed) this.closed++;
    });
    socket.on('end', () => this.closed++);
  }

  private hold(held: Held): void {
    this.held.push(held);
    if (this.held.length > MOST_HELD) this.held.shift()!.close();
  }
}
