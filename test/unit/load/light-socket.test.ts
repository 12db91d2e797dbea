/** The connection of load tests keeps to the protocol, and says how it has ended. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { LightSocket, type SocketEnd } from '../../load/light-socket.ts';
import { afterTest } from '../../support/closing.ts';

const portOf = (server: { address(): unknown }) => (server.address() as { port: number }).port;

/** @param heard takes what the server sends */
function dial(port: number, heard: string[] = []) {
  let socket!: LightSocket;
  const ended = new Promise<SocketEnd>((onClose) => {
    socket = new LightSocket({
      url: `http://127.0.0.1:${port}/`,
      onMessage: (message) => heard.push(message.toString('latin1')),
      onClose,
    });
  });
  return { socket, ended };
}

test('a server reads what it sends, is answered when it pings and closes, and its code is told', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  afterTest(() => void server.close());
  await once(server, 'listening');
  const heard: string[] = [];
  const { socket, ended } = dial(portOf(server), heard);
  const [peer] = (await once(server, 'connection')) as [WebSocket];
  const long = 'as long as it needs to be for a second kind of head '.repeat(4);
  peer.send(long);
  peer.ping('are you there');
  const [pong] = await once(peer, 'pong');
  expect(`${pong}`).toBe('are you there');
  expect(heard).toEqual([long]);
  for (const message of [long, Buffer.from([0, 1, 254, 255])]) {
    socket.send(message);
    const [data, isBinary] = await once(peer, 'message');
    expect(data).toEqual(Buffer.from(message));
    expect(isBinary).toBe(typeof message !== 'string');
  }
  peer.close(4001, 'enough');
  expect(await once(peer, 'close')).toEqual([4001, Buffer.from('enough')]);
  expect(await ended).toBe('4001');
});

test.each([
  ['a refused handshake', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', [], 'refused'],
  ['a message in parts', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', [0x02, 1, 7], '1002'],
  [
    'a masked message',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    [0x82, 0x80, 0, 0, 0, 0],
    '1002',
  ],
  ['a compressed message', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', [0xc2, 1, 7], '1002'],
  ['an end without a word', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', undefined, '1006'],
])('%s is told apart', async (_, head, frame, how) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([Buffer.from(head), Buffer.from(frame ?? [])]));
      if (!frame) socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  afterTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const heard: string[] = [];
  expect(await dial(portOf(server), heard).ended).toBe(how);
  expect(heard).toEqual([]);
});
