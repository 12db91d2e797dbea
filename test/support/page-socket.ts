/** The socket of pages, outside a browser. */
import { WebSocket } from 'ws';
import { RoomSocket, type RoomSocketOptions } from '../../client/room/room-socket.ts';

/** As in a browser, a connection that fails throws nothing. Node 20 has no `WebSocket` of its own. */
class BrowserSocket extends WebSocket {
  constructor(address: string) {
    super(address);
    this.on('error', () => {});
  }
}

/** Creates a page's socket to a server on this machine. */
export function openPageSocket(port: number, options: RoomSocketOptions): RoomSocket {
  Object.assign(globalThis, { WebSocket: BrowserSocket, addEventListener: () => {} });
  return new RoomSocket(options, `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
}
