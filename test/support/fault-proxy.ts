/**
 * Simulates a bad network: forwards TCP connections to a local port, slowly, in pieces, or not at
 * all.
 */
import {
  type AddressInfo,
  createServer,
  connect as dial,
  type Server,
  type Socket,
} from 'node:net';
import { type Clock, systemClock } from '../../server/platform/clock.ts';
import type { Random } from '../../shared/random.ts';
import { FaultPipe, type Faults } from './fault-pipe.ts';

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
  readonly clock?: Clock;
  readonly faults?: Partial<Faults>;
}

export class FaultProxy {
  readonly random: Random;
  readonly clock: Clock;
  private current: Faults;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly pipes = new Set<FaultPipe>();

  private constructor(private readonly options: FaultProxyOptions) {
    this.random = options.random;
    this.clock = options.clock ?? systemClock;
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
