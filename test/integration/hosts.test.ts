/** `--hosts`: a page of elsewhere that gives this server a name of its own (DNS rebinding) gets nothing. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { afterSuite } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const SENTENCE = /^This server does not answer to this name\..*--hosts\.$/;
async function start(hosts: Record<string, string>): Promise<VivariumServer> {
  const clientFolder = await ensureClient(() => {});
  const settings = { ...SMALL, size: '64x64', metrics: 0, ...hosts };
  const server = await startServer(settings, { clientFolder });
  afterSuite(() => server.close());
  return server;
}

const server = await start({ hosts: 'play.museum.example' });

/** A request as a browser sends it to a host of that name. */
async function ask(
  host: string,
  path: string,
  headers: Record<string, string> = {},
  port = server.port,
): Promise<{ status: number; body: string }> {
  const asked = request({ port, path, headers: { ...headers, host } }).end();
  const answered = once(asked, 'response');
  const upgraded = once(asked, 'upgrade').then(([response, socket]) => {
    socket.destroy();
    return [response];
  });
  const [response] = (await Promise.race([answered, upgraded])) as [IncomingMessage];
  const status = response.statusCode!;
  return { status, body: status === 101 ? '' : await text(response) };
}

const PATHS = ['/', '/r/garden', '/host', '/host/api/state', '/healthz', '/wall/garden/alive'];
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const upgrade = (host: string) =>
  ask(host, '/socket.io/?EIO=4&transport=websocket', { ...UPGRADE, origin: `http://${host}` });

test('requests and upgrades for another host get 421 and a sentence, and are counted', async () => {
  const before = server.rejectionCounts.totals()['wrong-host'];
  const answers = await Promise.all(PATHS.map((path) => ask('evil.example', path)));
  // An upgrade's page has the same name.
  for (const { status, body } of [...answers, await upgrade('evil.example:80')]) {
    expect(status).toBe(421);
    expect(body).toMatch(SENTENCE);
  }
  expect(server.rejectionCounts.totals()['wrong-host']).toBe(before + PATHS.length + 1);
  const port = server.metricsPort!;
  expect((await ask('evil.example', '/metrics', {}, port)).status).toBe(421);
  expect((await ask(`localhost:${port}`, '/metrics', {}, port)).status).toBe(200);
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

test('the names on the list, localhost and what the server prints are allowed', async () => {
  const { port } = server;
  for (const host of ['play.museum.example', `localhost:${port}`, `127.0.0.1:${port}`]) {
    expect((await ask(host, '/r/garden')).status).toBe(200);
    expect((await upgrade(host)).status).toBe(101);
  }
  (await Visitor.join(port)).leave();
});

test('the network addresses that the server prints are allowed', async () => {
  const open = await start({ hosts: 'localhost', host: '0.0.0.0' });
  const printed = open.networkOrigins().map((origin) => new URL(origin).host);
  const asked = [...printed, `localhost:${open.port}`];
  const answers = await Promise.all(asked.map((host) => ask(host, '/healthz', {}, open.port)));
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
});

test('by default, every name is allowed', async () => {
  const open = await start({});
  expect((await ask('any.example', '/r/garden', {}, open.port)).status).toBe(200);
});

test.each(['https://museum.example', 'museum.example:80', 'Museum.example', 'a b', ''])(
  '"%s" is no name of a host',
  async (hosts) => {
    await expect(startServer({ hosts })).rejects.toThrow('--hosts must be host names like ');
  },
);
