/**
 * Limits the data that clients send over WebSockets. `createWebSocketEngine` counts received bytes
 * and frames before the `ws` library handles them. `isWellFormed` checks a MessagePack message
 * before it is decoded.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionRateLimiter, RejectionCounts } from './connection-limits.ts';

export const FRAME_LIMITS = {
  /**
   * Minimum number of bytes charged for a frame, because even an empty frame takes time to process.
   */
  minFrameBytes: 64,
  maxFragments: 32,
  /** Maximum number of network chunks in which one frame may arrive. */
  maxFramePieces: 1_024,
} as const;

const FINAL = 0x80;
const BINARY = 0x02;
const CONTINUATION = 0x00;
const MASKED = 0x80;

/**
 * Returns the size, in bytes, of the extended payload length in the header of a WebSocket frame.
 *
 * @param short the 7-bit length in the header's second byte (RFC 6455, section 5.2)
 */
const lengthBytes = (short: number): number => (short === 126 ? 2 : short === 127 ? 8 : 0);

/**
 * Returns how many bytes of a WebSocket frame header follow its first two bytes.
 *
 * @param second second byte of the header
 */
const restOf = (second: number): number => lengthBytes(second & 0x7f) + (second & MASKED ? 4 : 0);

/**
 * Reads the headers of received WebSocket frames, to count the bytes and frames charged to a
 * client.
 */
export class FrameMeter {
  /** The bytes of the current frame's header received so far. */
  private readonly header = new Uint8Array(14);
  private read = 0;
  /** Number of bytes of the current frame's payload still to be received. */
  private payload = 0;

  /** @param least minimum number of bytes to charge for a frame */
  constructor(private readonly least: number) {}

  /**
   * Processes a piece of received data, which may begin and end anywhere in a frame.
   *
   * @returns `bytes`: number of bytes to charge. `others`: number of frames (control frames, text
   *   frames and fragments) that do not end a binary message
   */
  push(piece: Uint8Array) {
    let { length: bytes } = piece;
    let others = 0;
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.payload, piece.length - at);
      this.payload -= skipped;
      at += skipped;
      if (at === piece.length) return { bytes, others };
      this.header[this.read++] = piece[at++];
      const [first, second] = this.header;
      if (this.read < 2 || this.read < 2 + restOf(second)) continue;
      this.payload = this.length();
      bytes += Math.max(0, this.least - this.read - this.payload);
      if (!isMessage(first)) others++;
      this.read = 0;
    }
  }

  private length(): number {
    const short = this.header[1] & 0x7f;
    const width = lengthBytes(short);
    let length = width === 0 ? short : 0;
    for (let i = 0; i < width; i++) length = length * 256 + this.header[2 + i];
    return length;
  }
}

/**
 * Returns whether a frame is the last frame of a binary message. Such a frame is charged to
 * `messagesPerSecond` instead of `framesPerSecond`.
 *
 * @param first first byte of the frame's header
 */
function isMessage(first: number): boolean {
  const opcode = first & 0x0f;
  return (first & FINAL) !== 0 && (opcode === BINARY || opcode === CONTINUATION);
}

type Upgraded = (socket: WebSocket, request: IncomingMessage) => void;

/**
 * Creates a class of WebSocket servers that limit the data received, for Engine.IO's option
 * `wsEngine`.
 *
 * @param rateLimiterFor returns the rate limiter of the connection that a request opens
 */
export function createWebSocketEngine(
  rejections: RejectionCounts,
  rateLimiterFor: (request: IncomingMessage) => ConnectionRateLimiter,
) {
  return class extends WebSocketServer {
    /** @param options options from Engine.IO, which set no limits for fragments */
    constructor(options: ServerOptions) {
      const fragments = {
        maxFragments: FRAME_LIMITS.maxFragments,
        maxBufferedChunks: FRAME_LIMITS.maxFramePieces,
      };
      // Disable the limit on pings in `ws`, which closes connections without giving a reason.
      // `framesPerSecond` limits pings instead.
      const limits = { ...fragments, maxPendingAutoPongs: 0 };
      super({ ...options, ...limits } as ServerOptions);
    }

    override handleUpgrade(
      request: IncomingMessage,
      wire: Duplex,
      head: Buffer,
      done: Upgraded,
    ): void {
      super.handleUpgrade(request, wire, head, (socket) => {
        const rateLimiter = rateLimiterFor(request);
        const meter = new FrameMeter(FRAME_LIMITS.minFrameBytes);
        // Prepend this listener, so that it runs before the listener of `ws`.
        wire.prependListener('data', (piece: Uint8Array) => {
          if (wire.destroyed) return;
          const { bytes, others } = meter.push(piece);
          const isTooMuch = !rateLimiter.take('bytesPerSecond', bytes);
          if (!isTooMuch && rateLimiter.take('framesPerSecond', others)) return;
          // If the connection is already closing, a reason has already been counted.
          if (socket.readyState === socket.OPEN) {
            rejections.count(isTooMuch ? 'too-much-data' : 'too-many-frames');
          }
          // Terminate the WebSocket, not only `wire`: otherwise, `ws` would still answer the pings
          // in `piece`.
          socket.terminate();
        });
        done(socket, request);
      });
    }
  };
}

/**
 * Maximum nesting depth of arrays and maps in a message. Valid messages have at most four levels.
 */
const MAX_DEPTH = 8;

/** First MessagePack type bytes for arrays and for maps whose length follows the type byte. */
const FIRST_ARRAY = 0xdc;
const FIRST_MAP = 0xde;

/**
 * For each MessagePack type from 0xc0 to 0xdf, the number of bytes after the type byte. A negative
 * number, -n, means a length field of n bytes, followed by the value. Types with undefined size are
 * not allowed.
 */
const SIZES: readonly (number | undefined)[] = [
  // nil, (never used), false, true
  ...[0, undefined, 0, 0],
  // bin 8, 16, 32; ext 8, 16, 32
  ...[-1, -2, -4, undefined, undefined, undefined],
  // float 32, 64; uint 8 … 64; int 8 … 64
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8],
  // fixext 1 … 16
  ...Array(5).fill(undefined),
  // str 8, 16, 32; array 16, 32; map 16, 32
  ...[-1, -2, -4, -2, -4, -2, -4],
];

/**
 * Returns whether some bytes are exactly one MessagePack value of an allowed type: nil, boolean,
 * number, string, bytes, array or map. The nesting depth is limited. Extension types (except the
 * one for `undefined`) are not allowed, because decoders create sets, errors, regular expressions
 * and references from them. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function isWellFormed(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes);
  return reader.value(0) && reader.isAtEnd;
}

/**
 * Returns whether a type byte begins a string. Keys of maps must be strings, because msgpackr fails
 * on other keys.
 */
const isText = (first: number): boolean =>
  (first >= 0xa0 && first < 0xc0) || (first >= 0xd9 && first <= 0xdb);

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): boolean {
    const { bytes } = this;
    if (this.at >= bytes.length) return false;
    const first = bytes[this.at++];
    if (first < 0x80 || first >= 0xe0) return true;
    if (first < 0x90) return this.pairs(first & 0x0f, depth + 1);
    if (first < 0xa0) return this.values(first & 0x0f, depth + 1);
    if (first < 0xc0) return this.skip(first & 0x1f);
    // Of the extension types, allow only the one with which msgpackr encodes `undefined`.
    if (first === 0xd4) return bytes[this.at] === 0 && this.skip(2);
    const size = SIZES[first - 0xc0];
    if (size === undefined) return false;
    if (size >= 0) return this.skip(size);
    if (this.at - size > bytes.length) return false;
    let count = 0;
    for (let i = 0; i < -size; i++) count = count * 256 + bytes[this.at++];
    if (first >= FIRST_MAP) return this.pairs(count, depth + 1);
    return first >= FIRST_ARRAY ? this.values(count, depth + 1) : this.skip(count);
  }

  private values(count: number, depth: number): boolean {
    // Each value takes at least one byte. If fewer than `count` bytes remain, reject the message
    // here, before a decoder allocates an array of length `count`.
    if (count > this.bytes.length - this.at || (count > 0 && depth > MAX_DEPTH)) return false;
    for (let i = 0; i < count; i++) if (!this.value(depth)) return false;
    return true;
  }

  private pairs(count: number, depth: number): boolean {
    if (2 * count > this.bytes.length - this.at || (count > 0 && depth > MAX_DEPTH)) return false;
    for (let i = 0; i < count; i++) {
      if (!isText(this.bytes[this.at]) || !this.value(depth) || !this.value(depth)) return false;
    }
    return true;
  }

  private skip(count: number): boolean {
    this.at += count;
    return this.at <= this.bytes.length;
  }
}
