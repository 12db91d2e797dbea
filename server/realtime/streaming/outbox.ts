/**
 * Batches what is sent in one turn of the event loop, as after a tick: each message is encoded
 * once for all recipients, and each connection gets one write. One write per message and
 * connection would cost a busy room more than everything else together.
 */
import { TIER_NAMES, type TierName } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';

/** The parts of an Engine.IO connection that are used here. */
export interface Connection {
  /**
   * Sends encoded WebSocket frames as they are, like Socket.IO's own adapter
   * (`wsPreEncodedFrame`).
   */
  write(data: Uint8Array, options: WriteOptions): unknown;
}

interface WriteOptions {
  readonly wsPreEncodedFrame: readonly [Uint8Array];
}

/** A message as a WebSocket frame. */
interface EncodedMessage {
  readonly name: string;
  readonly frame: Uint8Array;
}

/** Encodes an event as one message. */
export type Encode = (name: string, message: unknown) => Uint8Array;

/** Sends messages at the end of the current turn of the event loop. */
export class Outbox {
  /** By message object, which must not change after it was sent. */
  private readonly encoded = new Map<unknown, EncodedMessage>();
  private readonly waiting = new Map<Connection, Uint8Array[]>();
  /** The last concatenation: consecutive connections mostly get the same messages. */
  private lastJoined:
    | { readonly parts: readonly Uint8Array[]; readonly bytes: Uint8Array }
    | undefined;

  /** @param defer runs a function at the end of this turn */
  constructor(
    private readonly encode: Encode,
    private readonly defer: (run: () => void) => void = process.nextTick,
  ) {}

  /** Queues a message. It is sent at the end of this turn, in order. */
  send(connection: Connection, name: string, message: unknown): void {
    if (this.waiting.size === 0) this.defer(() => this.flush());
    const frame = this.frameOf(name, message);
    const parts = this.waiting.get(connection);
    if (parts) parts.push(frame);
    else this.waiting.set(connection, [frame]);
  }

  /** Sends one connection's messages now, for use before it is closed. */
  flushNow(connection: Connection): void {
    const parts = this.waiting.get(connection);
    if (!parts) return;
    this.waiting.set(connection, []);
    this.write(connection, parts);
  }

  private flush(): void {
    for (const [connection, parts] of this.waiting) this.write(connection, parts);
    this.waiting.clear();
    this.encoded.clear();
    this.lastJoined = undefined;
  }

  private write(connection: Connection, parts: readonly Uint8Array[]): void {
    if (parts.length === 0) return;
    const bytes = parts.length === 1 ? parts[0] : this.join(parts);
    connection.write(bytes, { wsPreEncodedFrame: [bytes] });
  }

  private join(parts: readonly Uint8Array[]): Uint8Array {
    const { lastJoined: last } = this;
    const same = last?.parts.length === parts.length && parts.every((p, i) => p === last.parts[i]);
    if (same) return last.bytes;
    const bytes = Buffer.concat(parts);
    this.lastJoined = { parts, bytes };
    return bytes;
  }

  private frameOf(name: string, message: unknown): Uint8Array {
    const known = this.encoded.get(message);
    if (known?.name === name) return known.frame;
    const frame = framed(this.encode(name, message));
    this.encoded.set(message, { name, frame });
    return frame;
  }
}

/** Wraps a message in a binary WebSocket frame: final and not masked (RFC 6455, section 5.2). */
export function framed(message: Uint8Array): Uint8Array {
  const { length } = message;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x82;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(message, head);
  return frame;
}

const { window, skippedShare, slowAck, patience, maxPatience } = DEFAULTS.stream.quality;

/** The adaptive tier of one viewer. */
export class AdaptiveQuality {
  private tierIndex: number;
  private windowStart: number;
  /** Frames of this window. */
  private frames = { due: 0, skipped: 0, slow: 0 };
  private quietSince: number;
  private wait: number = patience;
  /** When the last step was one up; else -Infinity. */
  private climbedAt = -Infinity;

  /**
   * @param first the first tier
   * @param best the best tier that the viewer asks for
   * @param now ms
   */
  constructor(
    first: TierName,
    private best: TierName,
    now: number,
  ) {
    this.tierIndex = Math.max(TIER_NAMES.indexOf(first), TIER_NAMES.indexOf(best));
    this.windowStart = now;
    this.quietSince = now;
  }

  /** The current tier. */
  get tier(): TierName {
    return TIER_NAMES[this.tierIndex];
  }

  /** Changes the best tier that the viewer asks for. */
  setBest(best: TierName): void {
    this.best = best;
    this.tierIndex = Math.max(this.tierIndex, TIER_NAMES.indexOf(best));
  }

  /** Records a frame that was due, and sent or skipped. */
  frame(skipped: boolean): void {
    this.frames.due++;
    if (skipped) this.frames.skipped++;
  }

  /** Records an acknowledgement. @param delay from sending the frame to its acknowledgement, ms */
  acknowledged(delay: number): void {
    if (delay > slowAck) this.frames.slow++;
  }

  /** Evaluates a window once it is over. @param now ms @returns whether the tier has changed */
  evaluate(now: number): boolean {
    if (now - this.windowStart < window) return false;
    const { due, skipped, slow } = this.frames;
    this.windowStart = now;
    this.frames = { due: 0, skipped: 0, slow: 0 };
    if (skipped > 0 || slow > 0) this.quietSince = now;
    if (due > 0 && skipped > due * skippedShare) return this.descend(now);
    return this.climb(now);
  }

  private descend(now: number): boolean {
    if (this.climbedAt > -Infinity) {
      const hasFailed = now - this.climbedAt < 2 * this.wait;
      this.wait = hasFailed ? Math.min(maxPatience, 2 * this.wait) : patience;
    }
    this.climbedAt = -Infinity;
    if (this.tierIndex === TIER_NAMES.length - 1) return false;
    this.tierIndex++;
    return true;
  }

  private climb(now: number): boolean {
    if (now - this.quietSince < this.wait || this.tierIndex <= TIER_NAMES.indexOf(this.best))
      return false;
    this.tierIndex--;
    this.climbedAt = now;
    this.quietSince = now;
    return true;
  }
}
