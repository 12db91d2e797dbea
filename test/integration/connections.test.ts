/**
 * Connections and file descriptors of a real server: whatever strangers do, none stays behind, there
 * are always some left, and one address does not keep others out.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { ensureClient } from '../../server/http/serve-client.ts';
import { RESTART_CODE } from '../../server/operations/supervisor.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';

const PLACE = { port: 0, host: '127.0.0.1', size: '96x96' };
const BASE = flagsOf({ ...PLACE, ...SMALL, data: 'none' });

const GALLERY = '/checkpoints/small/gallery.png';
const open: Socket[] = [];
await ensureClient(() => {});

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

const used = ({ child }: ServerProcess): number => readdirSync(`/proc/${child.pid}/fd`).length;

/** A raw connection that reads nothing until it is told to. */
async function dial(port: number, words = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => {});
  socket.pause();
  await once(socket, 'connect');
  if (words) socket.write(words);
  return socket;
}

const asking = (path: string, times: number): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(times);

/** Asks over a connection of its own. @throws when it is refused */
async function get(port: number, path: string) {
  const asked = request({ host: '127.0.0.1', port, path, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, text: await text(response) };
}

/** Asks until it is let in. */
async function getAtLast(port: number, path: string): Promise<number> {
  for (;;) {
    try {
      return (await get(port, path)).status;
    } catch {
      await pause(20);
    }
  }
}

describe('requests that nobody reads the answers of', () => {
  let server: ServerProcess;
  let port: number;
  let script: string;

  beforeAll(async () => {
    server = new ServerProcess(BASE);
    port = await server.alive();
    const page = await get(port, '/r/garden');
    script = /src="(\/assets\/[^"]*\.js)"/.exec(page.text)![1];
  });

  afterAll(() => server.end());

  test.each([
    ['the gallery', () => GALLERY],
    ['a program, not compressed', () => script],
    ['a page', () => '/r/garden'],
  ])('200 in one piece for %s leave no descriptor open', async (_, pathOf) => {
    const before = used(server);
    const socket = await dial(port, asking(pathOf(), 200));
    await once(socket, 'readable');
    socket.destroy();
    // What was opened for them is open by now: this was asked after them.
    expect((await get(port, pathOf())).status).toBe(200);
    while (used(server) > before + 3) await pause(20);
  });
});

test('eight requests in one piece are answered; of more, the connection is ended and counted', async () => {
  const server = await startServer(
    { size: '96x96', ...SMALL },
    { clientFolder: await ensureClient(() => {}) },
  );
  afterTest(() => server.close());
  const socket = await dial(server.port, asking('/r/garden', 8));
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.resume();
  const answers = () => heard.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
  while (answers() < 8) await once(socket, 'data');
  // Answered requests do not count any more.
  socket.write(asking('/r/garden', 8));
  while (answers() < 16) await once(socket, 'data');
  expect(server.rejectionCounts.totals()['too-many-requests']).toBe(0);
  const ended = once(socket, 'close');
  socket.write(asking('/r/garden', 100));
  await ended;
  expect(server.rejectionCounts.totals()['too-many-requests']).toBe(1);
  expect((await get(server.port, '/r/garden')).status).toBe(200);
});

test('with few descriptors it takes fewer connections, says so, and cannot be made to run out of them', async () => {
  const limit = 200;
  const args = [...BASE, '--supervised', 'yes'];
  const server = new ServerProcess(args, `ulimit -n ${limit}`);
  const port = await server.alive();
  expect(server.errors).toMatch(
    /few-descriptors: The system allows this server only 200 open files, so the server accepts only \d+ connections instead of 5000\./,
  );
  // Silent, not read, slow with their header, and pipelined.
  const words = ['', asking(GALLERY, 3), 'GET / HTTP/1.1\r\nHos', asking(GALLERY, 50)];
  let most = 0;
  for (let i = 0; i < 2 * limit; i++) {
    await dial(port, words[i % words.length]);
    most = Math.max(most, used(server));
  }
  expect(most).toBeLessThan(limit - limit / 5);
  for (const socket of open.splice(0)) socket.destroy();
  expect(await getAtLast(port, '/r/garden')).toBe(200);
  expect((await get(port, '/healthz')).text).toBe('{"ticking":true,"descriptors":true}');
  expect(server.errors).not.toContain('no-descriptors');
  expect(await server.end()).toEqual({ code: 0, signal: null });
});

test('a server that has run out of descriptors ends for its supervisor, all that it kept is there', async () => {
  const small = { ...PLACE, ...SMALL, data: suiteFolder() };
  const args = flagsOf({ ...small, supervised: 'yes' });
  const server = new ServerProcess(args);
  await server.alive();
  // As if something of its own had leaked them: those that are open stay, and there are no more.
  execFileSync('prlimit', ['--pid', `${server.child.pid}`, '--nofile=3:']);
  expect(await server.ended).toEqual({ code: RESTART_CODE, signal: null });
  expect(server.errors).toContain('no-descriptors: ');
  const again = new ServerProcess(args);
  expect((await get(await again.alive(), '/r/garden')).status).toBe(200);
  expect(again.output).toMatch(/Room "garden" is restored/);
  await again.end();
});

test('an upgrade that is not to the rooms ends the connection at once, also one that has been used', async () => {
  const server = await startServer({ size: '64x64', ...SMALL });
  afterTest(() => server.close());
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('200 OK');
  const closed = once(socket, 'close');
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n.');
  await closed;
});
