/** Abusive clients, each with one kind of attack; other visitors must not notice them. */
import { connect } from 'node:net';
import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import type { Event } from '../../shared/protocol/events.ts';
import type { Random } from '../../shared/random.ts';
import { addCounts } from './figures.ts';
import { LoadClient, type LoadClientOptions } from './load-client.ts';
import type { Attack, CrowdPlan } from './messages.ts';
import type { PacketCache } from './packet-cache.ts';

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

/** ms until one that was cut off comes back. */
const REDIAL = 1_000;

export class Attacker {
  tries = 0;
  /** Connections that the server has closed. */
  closed = 0;
  readonly refusals: Record<string, number> = {};
  private readonly held: Held[] = [];
  private client: LoadClient | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly attack: Attack,
    private readonly plan: Pick<CrowdPlan, 'url' | 'room'>,
    private readonly packets: PacketCache,
    private readonly random: Random,
  ) {
    this.timer = setInterval(() => {
      this.tries++;
      this.tryOnce();
    }, 1000 / RATES[attack]);
  }

  /** Stops, and closes what it holds. */
  end(): void {
    clearInterval(this.timer);
    for (const held of this.held.splice(0)) held.close();
    this.client?.close();
  }

  private tryOnce(): void {
    const { random } = this;
    const { room } = this.plan;
    switch (this.attack) {
      case 'flood':
        for (let id = 0; id < FLOOD; id++) {
          this.joined().say('damage', { id, radius: 0.5, points: [1, 1] });
        }
        return;
      case 'huge':
        this.joined().say('damage', { id: 1, filler: new Uint8Array(1_000_000) });
        return;
      case 'forge':
        this.joined().say('plant', {
          ...{ id: this.tries, x: 100, y: 100, seed: { from: 'prior' } },
          ...(this.tries % 2 === 0 ? { owner: 1 } : { by: { id: 1, name: 'somebody', hue: 0 } }),
        });
        return;
      case 'replay': {
        const resume = Buffer.from(random.latent(8).buffer).toString('base64url');
        this.hold(this.dial({ join: { room, resume } }));
        return;
      }
      case 'storm':
        this.hold(this.dial({ onConnect: () => this.held.shift()?.close() }));
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

  /** The one that joins, and comes back when it is cut off. */
  private joined(): LoadClient {
    const join = { room: this.plan.room };
    this.client ??= this.dial({ join, redial: REDIAL });
    return this.client;
  }

  private dial(options: Partial<LoadClientOptions>): LoadClient {
    return new LoadClient({
      ...{ url: this.plan.url, packets: this.packets },
      // To fill the server's memory.
      acknowledges: false,
      onLost: () => this.closed++,
      onEvent: (name, message) => {
        if (name !== 'rejected') return;
        addCounts(this.refusals, { [(message as Event<'rejected'>).reason]: 1 });
      },
      ...options,
    });
  }

  /** A connection that says one thing that is no message. */
  private raw(bytes: Uint8Array): void {
    const address = `${this.plan.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
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
    const { hostname, port } = new URL(this.plan.url);
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
