/** The WebSocket server that Engine.IO works with: what comes in is charged before anything is made of it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ConnectionRateLimiter } from './connection-rate-limiter.ts';
import { FrameMeter } from './frame-meter.ts';
import type { RejectionCounts } from './rejection-counts.ts';

const { minFrameBytes, maxFragments, maxFramePieces } = DEFAULTS.net;

export interface WebSocketEngineOptions {
  /** @returns what watches over the connection of a request that was let in */
  readonly guard: (request: IncomingMessage) => ConnectionRateLimiter;
  readonly rejections: RejectionCounts;
}

type Upgraded = (socket: WebSocket, request: IncomingMessage) => void;

/** @returns the class that Engine.IO makes its WebSocket server of (`wsEngine`) */
export function createWebSocketEngine({
  guard: guardOf,
  rejections: refusals,
}: WebSocketEngineOptions) {
  return class extends WebSocketServer {
    /** @param options as Engine.IO gives them, which leaves the limits of fragments as they are */
    constructor(options: ServerOptions) {
      const fragments = { maxFragments, maxBufferedChunks: maxFramePieces };
      // Pings are limited below, by name; `ws` would hang up without a word.
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
        const rateLimiter = guardOf(request);
        const meter = new FrameMeter(minFrameBytes);
        // Nothing has been read yet, and `ws` hears of each piece only after this.
        wire.prependListener('data', (piece: Uint8Array) => {
          if (wire.destroyed) return;
          const { bytes, others } = meter.push(piece);
          const tooMuch = !rateLimiter.bytes(bytes);
          if (!tooMuch && rateLimiter.frames(others)) return;
          // Where it is closing, what ended it has been counted.
          if (socket.readyState === socket.OPEN) {
            refusals.count(tooMuch ? 'too-much-data' : 'too-many-frames');
          }
          // Not `wire.destroy`: pings of this piece would still be answered.
          socket.terminate();
        });
        done(socket, request);
      });
    }
  };
}
