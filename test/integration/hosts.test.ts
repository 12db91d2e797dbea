/** `--hosts`: a page of elsewhere that gives this server a name of its own (DNS rebinding) gets nothing. */
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const SENTENCE = /^This server does not answer to this name\..*--hosts\.$/;
let server: VivariumServer;

async function start(hosts: Record<string, string>): Promise<VivariumServer> {
  const clientFolder = await ensureClient(() => {});
  return startServer({ ...SMALL, size: '64x64', metrics: 0, ...hosts }, { clientFolder });
}

beforeAll(async () => {
  server = await start({ hosts: 'play.museum.example' });
});

afterAll(() => server.close());

/** A request as a browser sends it to a host of that name. */
function ask(
  host: string,
  path: string,
  headers: Record<string, string> = {},
  port = server.port,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const answered = async (response: IncomingMessage): Promise<void> => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode!, text });
    };
    const asked = request({ port, path, headers: { ...headers, host } }, answered);
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, text: '' });
    });
    asked.on('error', reject).end();
  });
}

const PATHS = ['/', '/r/garden', '/host', '/host/api/state', '/healthz', '/wall/garden/alive'];
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const upgrade = (host: string): Promise<{ status: number; text: string }> =>
  ask(host, '/socket.io/?EIO=4&transport=websocket', { ...UPGRADE, origin: `http://${host}` });

test('requests for another host get 421 and a sentence', async () => {
  for (const path of PATHS) {
    const { status, text } = await ask('evil.example', path);
    expect([path, status]).toEqual([path, 421]);
    expect(text).toMatch(SENTENCE);
  }
});

/** The status that HTTP/1.0 without a Host gets, as a balancer asks. */
async function statusWithoutHost(path: string): Promise<number> {
  const socket = connect(server.port, '127.0.0.1', () => {
    socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  });
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(socket))![1]);
}

test('a balancer that names no host hears whether the server is healthy, and no more', async () => {
  for (const path of ['/healthz', '/readyz']) expect(await statusWithoutHost(path)).toBe(200);
  for (const path of ['/', '/host', '/host/api/state']) {
    expect(await statusWithoutHost(path)).toBe(421);
  }
  expect((await ask('evil.example', '/readyz')).status).toBe(421);
});

test('so do WebSocket upgrades, whose page has the same name', async () => {
  const { status, text } = await upgrade('evil.example:80');
  expect(status).toBe(421);
  expect(text).toMatch(SENTENCE);
});

test('what is rejected is counted', async () => {
  const before = server.rejectionCounts.totals()['wrong-host'];
  await ask('evil.example', '/');
  await upgrade('evil.example');
  expect(server.rejectionCounts.totals()['wrong-host']).toBe(before + 2);
});

test('metrics are not for other names either', async () => {
  const port = server.metricsPort!;
  expect((await ask('evil.example', '/metrics', {}, port)).status).toBe(421);
  expect((await ask(`localhost:${port}`, '/metrics', {}, port)).status).toBe(200);
});

test('the names on the list, localhost and what the server prints are allowed', async () => {
  const { port } = server;
  for (const host of ['play.museum.example', `localhost:${port}`, `127.0.0.1:${port}`]) {
    expect((await ask(host, '/r/garden')).status).toBe(200);
    expect((await upgrade(host)).status).toBe(101);
  }
  (await Visitor.join(port)).leave();
});

test('the network addresses that the server prints are allowed', async () => {
  const open = await startServer({ ...SMALL, size: '64x64', hosts: 'localhost', host: '0.0.0.0' });
  const printed = open.networkOrigins().map((origin) => new URL(origin).host);
  const asked = [...printed, `localhost:${open.port}`];
  const answers = await Promise.all(asked.map((host) => ask(host, '/healthz', {}, open.port)));
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
  await open.close();
});

test('by default, every name is allowed', async () => {
  const open = await start({});
  expect((await ask('any.example', '/r/garden', {}, open.port)).status).toBe(200);
  await open.close();
});

test.each(['https://museum.example', 'museum.example:80', 'Museum.example', 'a b', ''])(
  '"%s" is no name of a host',
  async (hosts) => {
    await expect(startServer({ hosts })).rejects.toThrow('--hosts must be host names like ');
  },
);
