/** A WebSocket server for Engine.IO that charges received data before `ws` processes it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ConnectionRateLimiter, RejectionCounts } from './connection-limits.ts';

const FINAL = 0x80;
const BINARY = 0x02;
const CONTINUATION = 0x00;
const MASKED = 0x80;

/** Returns the number of header bytes for the payload's length beyond the second byte. */
const lengthBytes = (short: number): number => (short === 126 ? 2 : short === 127 ? 8 : 0);

/** Returns the length of the header after its first two bytes, in bytes. */
const restOf = (second: number): number => lengthBytes(second & 0x7f) + (second & MASKED ? 4 : 0);

/** Parses frame headers incrementally. */
export class FrameMeter {
  /** The header bytes received so far. */
  private readonly header = new Uint8Array(14);
  private read = 0;
  /** Payload bytes still to come. */
  private payload = 0;

  /** @param least minimum charge of a frame, in bytes */
  constructor(private readonly least: number) {}

  /** Processes received data, which may be split anywhere. */
  push(piece: Uint8Array): {
    /**
     * Bytes to charge: the length of the piece, plus the difference to the minimum for short
     * frames.
     */
    readonly bytes: number;
    /** Number of frames that do not end a binary message: control frames, texts and fragments. */
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

/** Returns whether a frame ends a message; that frame is charged as the message. */
function isMessage(first: number): boolean {
  const opcode = first & 0x0f;
  return (first & FINAL) !== 0 && (opcode === BINARY || opcode === CONTINUATION);
}

const { minFrameBytes, maxFragments, maxFramePieces } = DEFAULTS.net;

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
      const fragments = { maxFragments, maxBufferedChunks: maxFramePieces };
      // Pings are counted and limited below. `ws` would close the connection without a reason.
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
        const meter = new FrameMeter(minFrameBytes);
        // Prepended, so that it runs before the listener of `ws`.
        wire.prependListener('data', (piece: Uint8Array) => {
          if (wire.destroyed) return;
          const { bytes, others } = meter.push(piece);
          const isTooMuch = !rateLimiter.take('bytesPerSecond', bytes);
          if (!isTooMuch && rateLimiter.take('framesPerSecond', others)) return;
          // If the connection is already closing, the cause has been counted.
          if (socket.readyState === socket.OPEN) {
            rejections.count(isTooMuch ? 'too-much-data' : 'too-many-frames');
          }
          // After `wire.destroy`, `ws` would still answer the pings in this piece.
          socket.terminate();
        });
        done(socket, request);
      });
    }
  };
}
