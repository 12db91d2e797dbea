/** One direction of a connection through the fault proxy. */
import type { Socket } from 'node:net';
import type { Clock } from '../../server/platform/clock.ts';
import type { Random } from '../../shared/random.ts';

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
  readonly clock: Clock;
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
    const { clock, random, faults } = this.line;
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
    const { clock, faults } = this.line;
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
