/** Simulates a bad network: forwards TCP connections to a local port, slowly, in pieces, or not at all. */
import {
  type AddressInfo,
  createServer,
  connect as dial,
  type Server,
  type Socket,
} from 'node:net';
import { systemClock as clock } from '../../server/platform/clock.ts';
import { createRandom, type Random } from '../../shared/random.ts';

export interface Faults {
  /** ms that each piece is under way. */
  readonly latency: number;
  /** ms on top, at most, by chance; what was sent first arrives first all the same. */
  readonly jitter: number;
  /** Bytes per second, each way. */
  readonly bandwidth: number;
  /** Bytes of one write, at most. */
  readonly slice: number;
  /** Which way nothing moves and nothing is read, until it is lifted: towards the server is up. */
  readonly stalled: 'none' | 'up' | 'down' | 'both';
  /** New connections are taken and never answered. */
  readonly deaf: boolean;
  /**
   * The server has no power: nothing moves, its connections end without a word to the other side,
   * new ones are never answered.
   */
  readonly unplugged: boolean;
}

/** Bytes under way in one direction; the sender has to wait with more, as on a line. */
const MAX_UNDER_WAY = 65_536;
/** Pieces that a line of limited bandwidth is cut into, per second. */
const PIECES_PER_SECOND = 50;

/** ms that a timer may be late without the line getting narrower by it. */
const MAX_LATE = 250;

/** What all pipes of a proxy share. */
interface Line {
  readonly random: Random;
  /** As they are now. */
  readonly faults: Faults;
}

export class FaultPipe {
  private queue: { bytes: Buffer; due: number }[] = [];
  private underWay = 0;
  private lastDue = 0;
  private freeAt = 0;
  private ended = false;
  private full = false;
  /** What comes is lost, and nobody is told of any end. */
  private dead = false;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly way: 'up' | 'down',
    private readonly line: Line,
  ) {
    from.on('data', (bytes) => this.take(bytes));
    from.on('end', () => {
      if (this.dead) return;
      this.ended = true;
      this.pump();
    });
    to.on('drain', () => {
      this.full = false;
      this.pump();
    });
  }

  private take(bytes: Buffer): void {
    if (this.dead) return;
    const { random, faults } = this.line;
    const arrival = clock.now() + faults.latency + faults.jitter * random.uniform();
    this.lastDue = Math.max(this.lastDue, arrival);
    this.queue.push({ bytes, due: this.lastDue });
    this.underWay += bytes.length;
    this.pump();
  }

  /** Moves what may move now, and comes back when more may. */
  pump(): void {
    this.cancel?.();
    this.cancel = undefined;
    const { faults } = this.line;
    if (faults.unplugged) {
      this.stop();
      this.dead = true;
      this.from.resume();
    }
    if (this.dead) return;
    const stalled = faults.stalled === 'both' || faults.stalled === this.way;
    while (!stalled && !this.full && this.queue.length > 0) {
      const [head] = this.queue;
      const now = clock.now();
      const start = Math.max(head.due, this.freeAt, now - MAX_LATE);
      if (start > now) {
        this.cancel = clock.after(start - now, () => this.pump());
        break;
      }
      this.freeAt = start + (this.move(head, faults) / faults.bandwidth) * 1000;
    }
    if (stalled || this.underWay >= MAX_UNDER_WAY) this.from.pause();
    else this.from.resume();
    if (this.isDone && !this.to.writableEnded) this.to.end();
  }

  /** @returns bytes moved */
  private move(head: { bytes: Buffer }, { bandwidth, slice }: Faults): number {
    const most = Math.max(1, Math.min(slice, Math.ceil(bandwidth / PIECES_PER_SECOND)));
    const piece = head.bytes.subarray(0, most);
    head.bytes = head.bytes.subarray(piece.length);
    if (head.bytes.length === 0) this.queue.shift();
    this.underWay -= piece.length;
    this.full = !this.to.write(piece);
    return piece.length;
  }

  /** Nothing is under way, and nothing more will come. */
  get isDone(): boolean {
    return this.ended && this.queue.length === 0;
  }

  /** What is under way is lost. */
  stop(): void {
    this.cancel?.();
    this.queue = [];
    this.ended = true;
  }
}

export const NO_FAULTS: Faults = {
  latency: 0,
  jitter: 0,
  bandwidth: Number.POSITIVE_INFINITY,
  slice: Number.POSITIVE_INFINITY,
  stalled: 'none',
  deaf: false,
  unplugged: false,
};

export interface FaultProxyOptions {
  /** Where the server listens, on this machine. */
  readonly port: number;
  /** The address that the server sees, one of 127.0.0.0/8; absent: 127.0.0.1. */
  readonly localAddress?: string;
  readonly random: Random;
  readonly faults?: Partial<Faults>;
}

export class FaultProxy {
  readonly random: Random;
  private current: Faults;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly pipes = new Set<FaultPipe>();

  private constructor(private readonly options: FaultProxyOptions) {
    this.random = options.random;
    this.current = { ...NO_FAULTS, ...options.faults };
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.accept(near));
  }

  /** Starts one on a free port of this machine. */
  static async open(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get faults(): Faults {
    return this.current;
  }

  /**
   * Changes faults, for the connections that there are too (but for `deaf`; one that met an end
   * while it was unplugged stays silent for ever); what is not named stays.
   */
  set(faults: Partial<Faults>): void {
    this.current = { ...this.current, ...faults };
    for (const pipe of this.pipes) pipe.pump();
  }

  /** Breaks all connections, like a router that loses power: data in transit is lost. */
  reset(): void {
    for (const socket of this.sockets) reset(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.reset();
    await closed;
  }

  private accept(near: Socket): void {
    this.keep(near);
    if (this.current.deaf || this.current.unplugged) {
      near.pause();
      return;
    }
    const { port, localAddress } = this.options;
    const far = dial({
      ...{ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true },
      ...(localAddress !== undefined && { localAddress }),
    });
    this.keep(far);
    const pipes = [new FaultPipe(near, far, 'up', this), new FaultPipe(far, near, 'down', this)];
    for (const pipe of pipes) {
      this.pipes.add(pipe);
      pipe.pump();
    }
    // An end that closes in good order is still heard; one that breaks off is not, and nothing goes
    // on to it.
    const part = (other: Socket, failed: boolean): void => {
      if (this.current.unplugged) return;
      if (failed) {
        for (const pipe of pipes) pipe.stop();
        reset(other);
      }
      if (other.destroyed) for (const pipe of pipes) this.pipes.delete(pipe);
    };
    near.on('close', (failed) => part(far, failed));
    far.on('close', (failed) => part(near, failed));
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
}

/** At once, though bytes are still to be written. */
function reset(socket: Socket): void {
  socket.resetAndDestroy();
  socket.destroy();
}

/**
 * Opens relays with an address each while they are used.
 *
 * @param port of the server, on 127.0.0.1
 * @param count of relays, at most 254
 * @param use is given the relays' ports, on 127.0.0.1
 */
export async function withAddresses<T>(
  port: number,
  count: number,
  use: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  const random = createRandom(1);
  const relays: FaultProxy[] = [];
  try {
    for (let i = 1; i <= count; i++) {
      relays.push(await FaultProxy.open({ port, random, localAddress: `127.0.1.${i}` }));
    }
    return await use(relays.map((relay) => relay.port));
  } finally {
    await Promise.all(relays.map((relay) => relay.close()));
  }
}
