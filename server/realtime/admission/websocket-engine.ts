/** A WebSocket server for Engine.IO that charges received data before `ws` processes it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ConnectionRateLimiter } from './connection-rate-limiter.ts';
import { FrameMeter } from './frame-meter.ts';
import type { RejectionCounts } from './rejection-counts.ts';

const { minFrameBytes, maxFragments, maxFramePieces } = DEFAULTS.net;

export interface WebSocketEngineOptions {
  /** The rate limiter of an admitted request's connection. */
  readonly rateLimiterFor: (request: IncomingMessage) => ConnectionRateLimiter;
  readonly rejections: RejectionCounts;
}

type Upgraded = (socket: WebSocket, request: IncomingMessage) => void;

/** @returns the class for Engine.IO's `wsEngine` option */
export function createWebSocketEngine({ rateLimiterFor, rejections }: WebSocketEngineOptions) {
  return class extends WebSocketServer {
    /** @param options from Engine.IO, which sets no limits for fragments */
    constructor(options: ServerOptions) {
      const fragments = { maxFragments, maxBufferedChunks: maxFramePieces };
      // Pings are limited below, where they are counted; `ws` would close without a reason.
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
          // If the connection is closing already, the cause has been counted.
          if (socket.readyState === socket.OPEN) {
            rejections.count(isTooMuch ? 'too-much-data' : 'too-many-frames');
          }
          // `wire.destroy` would not keep `ws` from answering the pings in this piece.
          socket.terminate();
        });
        done(socket, request);
      });
    }
  };
}
