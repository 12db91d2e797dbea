import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { RejectionCounts } from '../../../../server/realtime/limits/connection-limits.ts';
import {
  READ_TIMEOUT,
  TcpConnectionLimit,
} from '../../../../server/realtime/limits/tcp-connections.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const PAGE = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** More than the operating system holds of a connection. */
const HELD = 40_000_000;
/** A response that is a single write. */
const WHOLE = Buffer.alloc(160_000_000);

let http: Server;
let clock: FakeClock;
let rejections: RejectionCounts;
const sockets: Socket[] = [];

async function start(most: number, mostPerAddress?: number): Promise<void> {
  http = createServer((request, response) => {
    response.end(request.url === '/large' ? WHOLE : 'page');
  });
  clock = new FakeClock();
  rejections = new RejectionCounts();
  new TcpConnectionLimit(http, { clock, rejections, most, mostPerAddress, mostUnfinished: 8 });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
}

async function dial(localAddress = '127.0.0.1'): Promise<Socket> {
  const { port } = http.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  sockets.push(socket);
  socket.on('error', () => {});
  const accepted = once(http, 'connection');
  await Promise.all([once(socket, 'connect'), accepted]);
  return socket;
}

/** Requests the page. @returns whether it was answered */
async function getsPage(socket: Socket): Promise<boolean> {
  socket.write(PAGE);
  const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  return String(data).startsWith('HTTP/1.1 200');
}

/** Requests a large response without reading it. */
async function requestLarge(): Promise<Socket> {
  const socket = await dial();
  socket.pause();
  socket.write(PAGE.replace('/', '/large'));
  await once(http, 'request');
  return socket;
}

/** Reads at least this much, and no more until it is asked again. */
async function read(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) {
    socket.resume();
    const [data] = (await once(socket, 'data')) as [Buffer];
    left -= data.length;
  }
  socket.pause();
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => http.close(resolve));
});

test('of too many idle connections of an address, the longest idle is closed', async () => {
  await start(100, 3);
  const silent = await dial();
  const neighbour = await dial('127.0.0.2');
  const active = await dial();
  const closed = once(silent, 'close');
  await dial();
  await dial();
  await closed;
  // A request makes a connection the most recent one.
  expect(await getsPage(active)).toBe(true);
  await dial();
  await dial();
  expect(await getsPage(active)).toBe(true);
  expect(await getsPage(neighbour)).toBe(true);
  expect(rejections.totals()).toMatchObject({ 'idle-connection': 3, 'too-many-connections': 0 });
});

test('an address whose connections are all busy gets no further one; others do', async () => {
  await start(100, 2);
  for (let i = 0; i < 2; i++) await requestLarge();
  const refused = await dial();
  await once(refused, 'close');
  expect(rejections.totals()).toMatchObject({ 'too-many-connections': 1 });
  expect(await getsPage(await dial('127.0.0.2'))).toBe(true);
});

test('at the limit of the server, the longest idle connection of any address is closed', async () => {
  await start(2);
  const first = await dial('127.0.0.2');
  const second = await dial('127.0.0.3');
  const closed = once(first, 'close');
  expect(await getsPage(await dial('127.0.0.4'))).toBe(true);
  await closed;
  expect(await getsPage(second)).toBe(true);
});

test('at the limit of the server without idle connections, the oldest is closed', async () => {
  await start(2);
  const unread = await requestLarge();
  await requestLarge();
  expect(await getsPage(await dial())).toBe(true);
  unread.resume();
  await once(unread, 'close');
  expect(rejections.totals()).toMatchObject({ 'does-not-read': 1 });
});

test('a response of a single write that is read slowly is not ended; once it is not read any more, it is', async () => {
  await start(10);
  const slow = await requestLarge();
  for (let i = 0; i < 3; i++) {
    await clock.advance(READ_TIMEOUT);
    // So much that the server has sent some of it since.
    await read(slow, HELD);
  }
  expect(rejections.totals()).toMatchObject({ 'does-not-read': 0 });
  for (let i = 0; i < 2; i++) await clock.advance(READ_TIMEOUT);
  expect(rejections.totals()).toMatchObject({ 'does-not-read': 1 });
});
