/**
 * File descriptors of a real server: whatever strangers do, none stays behind, and there are always
 * some left.
 */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ensureClient } from '../../server/http/client-build.ts';
import { RESTART_CODE } from '../../server/operations/supervisor.ts';
import { suiteFolder } from '../support/closing.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';

const PLACE = { port: 0, host: '127.0.0.1', size: '96x96' };
const BASE = flagsOf({ ...PLACE, data: 'none', checkpoint: CHECKPOINT_FOLDER });

const GALLERY = '/checkpoints/organisms/gallery.png';
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
function get(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text }));
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
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
    const { text } = await get(port, '/r/garden');
    script = /src="(\/assets\/[^"]*\.js)"/.exec(text)![1];
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
  try {
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
  } finally {
    await server.close();
  }
});

test('with few descriptors it takes fewer connections, says so, and cannot be made to run out of them', async () => {
  const limit = 200;
  const args = [...BASE, '--supervised', 'yes'];
  const server = new ServerProcess(args, `ulimit -n ${limit}`);
  const port = await server.alive();
  expect(server.errors).toMatch(
    /few-descriptors: The system allows this process only 200 file descriptors, so visitors get \d+ connections instead of 5000\./,
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
