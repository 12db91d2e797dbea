import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Server } from 'socket.io';
import type { RoomSocket } from '../../../client/room/room-socket.ts';
import { parser } from '../../../shared/protocol/parser.ts';
import { afterTest } from '../../support/closing.ts';
import { openPageSocket } from '../../support/page-socket.ts';

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5);
}

async function listen(
  port = 0,
  pingTimeout = 20_000,
): Promise<{ http: HttpServer; io: Server; port: number }> {
  const http = createServer();
  const io = new Server(http, {
    parser,
    transports: ['websocket'],
    pingInterval: 100,
    pingTimeout,
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  afterTest(async () => void (await io.close()));
  return { http, io, port: (http.address() as AddressInfo).port };
}

/** A page's socket, and all that it has told the page. */
function page(port: number): { socket: RoomSocket; told: unknown[] } {
  const told: unknown[] = [];
  const socket = openPageSocket(port, {
    greet: () => ({ join: 'garden' }),
    onEvent: (name, message) => told.push([name, message]),
    onFailure: () => told.push('failed'),
    onDisconnect: (isByServer) => told.push(isByServer ? 'ended' : 'lost'),
  });
  afterTest(() => socket.disconnect());
  socket.connect();
  return { socket, told };
}

test('a page greets, sends and receives messages, and answers pings', async () => {
  const { io, port } = await listen();
  const heard: unknown[] = [];
  let pongs = 0;
  io.on('connection', (line) => {
    line.conn.on('packet', ({ type }) => (pongs += Number(type === 'pong')));
    heard.push(line.handshake.auth);
    line.onAny((name, message) => heard.push([name, message]));
    line.emit('frame', { bytes: new Uint8Array([1, 2]) });
  });
  const { socket, told } = page(port);
  await until(() => told.length > 0);
  socket.emit('look', { x: -1.5, far: 2 ** 40, text: 'ø' });
  await until(() => heard.length > 1);
  expect(heard).toEqual([{ join: 'garden' }, ['look', { x: -1.5, far: 2 ** 40, text: 'ø' }]]);
  await until(() => pongs > 2);
  expect([socket.connected, io.engine.clientsCount]).toEqual([true, 1]);
  expect(told).toEqual([['frame', { bytes: new Uint8Array([1, 2]) }]]);
});

test('a page whose server ends the session connects again only when it is told to', async () => {
  const { io, port } = await listen();
  io.on('connection', (line) => line.disconnect(true));
  const { socket, told } = page(port);
  await until(() => told.length > 0);
  await pause(1_000);
  expect([told, socket.connected]).toEqual([['ended'], false]);
  socket.connect();
  await until(() => told.length > 1);
  expect(told).toEqual(['ended', 'ended']);
});

test('a page whose server dies tries until there is one again', async () => {
  const first = await listen();
  let joins = 0;
  first.io.on('connection', () => joins++);
  const { socket, told } = page(first.port);
  await until(() => socket.connected);
  // As of a process that is killed: its connections end without a word.
  first.http.close();
  for (const line of first.io.of('/').sockets.values()) line.conn.transport.close();
  await until(() => told.length > 1);
  expect([told[0], told[1], socket.connected]).toEqual(['lost', 'failed', false]);
  const second = await listen(first.port);
  second.io.on('connection', () => joins++);
  await until(() => socket.connected);
  expect(joins).toBe(2);
});

test('a page whose server falls silent gives the connection up', async () => {
  const { io, port } = await listen(0, 400);
  const { socket, told } = page(port);
  await until(() => socket.connected);
  told.length = 0;
  for (const line of io.of('/').sockets.values()) line.conn.transport.send = () => {};
  await until(() => told.length > 0);
  expect(told[0]).toBe('lost');
});

test('a page that has left says so, and hears no more', async () => {
  const { io, port } = await listen();
  const left: string[] = [];
  io.on('connection', (line) => line.on('disconnect', (why) => left.push(why)));
  const { socket, told } = page(port);
  await until(() => socket.connected);
  socket.disconnect();
  await until(() => left.length > 0);
  await pause(500);
  expect([left, told, io.engine.clientsCount]).toEqual([['client namespace disconnect'], [], 0]);
});
