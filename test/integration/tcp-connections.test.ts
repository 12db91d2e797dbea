/** TCP connections of one address that say nothing do not keep others out. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';

const FULL = process.env.VIVARIUM_TEST_FULL === '1';
/** Silent connections, and the server's limit of visitors' connections: as many TCP connections again are allowed. */
const [SILENT, LIMIT] = FULL ? [10_050, 5_000] : [450, 200];
const ATTACKER = '127.0.0.1';
const VISITOR = '127.0.0.2';

const silent = new Set<Socket>();
let server: ServerProcess;
let port: number;
let attacking = true;

/** Opens a silent connection, and another one some seconds after it is closed. */
async function staySilent(): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: ATTACKER });
  silent.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => {
    silent.delete(socket);
    if (attacking) setTimeout(() => void staySilent(), 5_000).unref();
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve).once('close', () => resolve());
  });
}

/** @returns the status, or the error's code */
function get(path: string, localAddress: string): Promise<number | string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path, localAddress, agent: false };
    request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    })
      .on('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)))
      .end();
  });
}

beforeAll(async () => {
  const limits = `connections=${LIMIT}`;
  const args = flagsOf({ ...SMALL, port: 0, host: '127.0.0.1', size: '96x96', data: 'none' });
  server = new ServerProcess([...args, '--limits', limits]);
  port = await server.alive();
});

afterAll(async () => {
  attacking = false;
  for (const socket of silent) socket.destroy();
  await server.end();
});

test('an upgrade that is not to the rooms ends the connection at once, also one that has been used', async () => {
  const socket = connect({ port, host: '127.0.0.1', localAddress: VISITOR });
  socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('200 OK');
  const closed = once(socket, 'close');
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n.');
  await closed;
});

test(`${SILENT} silent connections of one address keep neither others out nor its own phones`, async () => {
  for (let i = 0; i < SILENT; i += 50) {
    await Promise.all(Array.from({ length: 50 }, staySilent));
  }
  for (const address of [VISITOR, ATTACKER]) {
    expect(await get('/healthz', address)).toBe(200);
    expect(await get('/r/garden', address)).toBe(200);
    const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(url, { localAddress: address });
    await once(socket, 'open');
    socket.terminate();
  }
}, 120_000);
