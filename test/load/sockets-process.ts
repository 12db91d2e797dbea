/**
 * Bare Socket.IO connections, of which nobody hears anything: what a connection costs before it is
 * a visitor's.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { parser } from '../../shared/protocol/parser.ts';
import { answerParent, startArgument } from './child.ts';
import { heapInUse } from './measure.ts';
import type { SocketsPlan, SocketsQuestion } from './messages.ts';

const plan = startArgument<SocketsPlan>();
if (plan.role === 'server') await serve();
else await connect(plan.port, plan.count);

async function serve(): Promise<void> {
  const http = createServer();
  const sockets = new Server(http, {
    parser,
    transports: ['websocket'],
    perMessageDeflate: false,
    serveClient: false,
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  answerParent((question: SocketsQuestion): number => {
    if (question === 'port') return (http.address() as AddressInfo).port;
    return question === 'count' ? sockets.sockets.sockets.size : heapInUse();
  });
}

async function connect(port: number, count: number): Promise<void> {
  answerParent(() => undefined);
  for (let i = 0; i < count; i++) {
    const socket = io(`http://127.0.0.1:${port}`, {
      parser,
      transports: ['websocket'],
      forceNew: true,
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
  }
}
