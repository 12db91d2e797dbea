/** A WebSocket server for Engine.IO that charges received data before `ws` processes it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionRateLimiter, RejectionCounts } from './connection-limits.ts';

/** Limits of WebSocket frames. */
export const FRAME_LIMITS = {
  /**
   * Minimum number of bytes that a WebSocket frame counts as, because each frame has a fixed
   * cost.
   */
  minFrameBytes: 64,
  /** Maximum number of fragments per message. */
  maxFragments: 32,
  /** Maximum number of network chunks in which one frame may arrive. */
  maxFramePieces: 1_024,
} as const;

const FINAL = 0x80;
const BINARY = 0x02;
const CONTINUATION = 0x00;
const MASKED = 0x80;

/**
 * Returns how many bytes after the second byte of a frame's header contain the payload's length.
 */
const lengthBytes = (short: number): number => (short === 126 ? 2 : short === 127 ? 8 : 0);

/** Returns how many bytes a frame's header has after its first two bytes. */
const restOf = (second: number): number => lengthBytes(second & 0x7f) + (second & MASKED ? 4 : 0);

/** Parses WebSocket frame headers in a stream of data, to determine how much to charge. */
export class FrameMeter {
  /** The bytes of the current frame's header received so far. */
  private readonly header = new Uint8Array(14);
  private read = 0;
  /** Number of payload bytes of the current frame that are still to come. */
  private payload = 0;

  /** @param least minimum number of bytes to charge for a frame */
  constructor(private readonly least: number) {}

  /** Processes received data, which may be split anywhere. */
  push(piece: Uint8Array): {
    /**
     * Number of bytes to charge: the length of the piece, and additional bytes for frames shorter
     * than the minimum.
     */
    readonly bytes: number;
    /**
     * Number of frames that do not end a binary message: control frames, text frames and fragments.
     */
    readonly others: number;
  } {
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
 * Returns whether a frame ends a binary message. Such a frame is not charged separately, because
 * the message is charged.
 */
function isMessage(first: number): boolean {
  const opcode = first & 0x0f;
  return (first & FINAL) !== 0 && (opcode === BINARY || opcode === CONTINUATION);
}

type Upgraded = (socket: WebSocket, request: IncomingMessage) => void;

/** @returns the class for Engine.IO's `wsEngine` option */
export function createWebSocketEngine({
  rateLimiterFor,
  rejections,
}: {
  /** Returns the rate limiter of an admitted request's connection. */
  readonly rateLimiterFor: (request: IncomingMessage) => ConnectionRateLimiter;
  readonly rejections: RejectionCounts;
}) {
  return class extends WebSocketServer {
    /** @param options from Engine.IO, which sets no limits for fragments */
    constructor(options: ServerOptions) {
      const fragments = {
        maxFragments: FRAME_LIMITS.maxFragments,
        maxBufferedChunks: FRAME_LIMITS.maxFramePieces,
      };
      // Pings are counted and limited below. The limit of `ws` would close the connection without a
      // reason, so switch it off.
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
          // If the connection is already closing, its cause has already been counted.
          if (socket.readyState === socket.OPEN) {
            rejections.count(isTooMuch ? 'too-much-data' : 'too-many-frames');
          }
          // Terminate the socket instead of destroying `wire`, because otherwise `ws` would still
          // answer the pings in this piece of data.
          socket.terminate();
        });
        done(socket, request);
      });
    }
  };
}
