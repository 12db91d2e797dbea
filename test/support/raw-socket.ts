/** WebSocket connections without Socket.IO's client, for bytes that no client sends. */
import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import { afterTest } from './closing.ts';

/** Dials; what is left of it ends with the test. */
export function rawSocket(port: number, headers: { origin?: string } = {}): WebSocket {
  const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, headers);
  socket.on('error', () => {});
  afterTest(() => socket.terminate());
  return socket;
}

/** A connection that Socket.IO has greeted. */
export async function greetedSocket(port: number): Promise<WebSocket> {
  const socket = rawSocket(port);
  const greeting = new Promise<void>((resolve) => {
    socket.on('message', (_data, isBinary) => isBinary && resolve());
  });
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(pack({ type: 0, nsp: '/' }));
  await greeting;
  return socket;
}

export const closed = (socket: { on(event: 'close', listener: () => void): unknown }) =>
  new Promise<void>((resolve) => socket.on('close', () => resolve()));
