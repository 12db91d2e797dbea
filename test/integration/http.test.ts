/**
 * The server's plain HTTP responses: pages, galleries, health, metrics and headers. With `--hosts`, a
 * page that gives this server another name (DNS rebinding) gets nothing.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import { ensureClient } from '../../server/http/serve-client.ts';
import { loadModel } from '../../server/vnca/checkpoint.ts';
import { modelPath } from '../../shared/seed-token.ts';
import { afterTest } from '../support/closing.ts';
import { CHECKPOINT_FOLDER, SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const { server, url: origin } = await suiteServer(
  { rooms: 'hall,yard', metrics: 'same', checkpoint: CHECKPOINT_FOLDER },
  { clientFolder: await ensureClient(() => {}) },
);
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${origin}${path}`, { redirect: 'manual', headers });

test('the root redirects to the first room, and every room serves the page', async () => {
  const root = await get('/');
  expect(root.status).toBe(302);
  expect(root.headers.get('location')).toBe('/r/hall');
  const page = await get('/r/yard');
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<vivarium-room');
});

test('the page of keepsakes is served, with the models that it asks for and no other', async () => {
  expect(await (await get('/keep')).text()).toContain('<vivarium-keep');
  const { card } = await loadModel(CHECKPOINT_FOLDER);
  const model = await get(modelPath(card.identity!));
  expect(model.status).toBe(200);
  await model.arrayBuffer();
  for (const other of ['00000000', '..%2f', 'x']) {
    expect((await get(modelPath(other))).status).toBe(404);
  }
  // A seed whose room is not named is planted in the first one; nothing else is passed on.
  expect((await get('/?seed=Aq-_')).headers.get('location')).toBe('/r/hall?seed=Aq-_');
  expect((await get('/?seed=%0d&x=1')).headers.get('location')).toBe('/r/hall');
});

test('the server has every file that the page requests; scripts are compressed, with the same content', async () => {
  const page = await (await get('/r/hall')).text();
  const wanted = [...page.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path]) => path);
  for (const path of wanted) expect((await get(path)).status).toBe(200);
  const programs = wanted.filter((path) => path.startsWith('/assets/'));
  expect(programs.length).toBeGreaterThan(1);
  for (const path of programs) {
    const packed = await get(path);
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('cache-control')).toContain('immutable');
    const plain = await get(path, { 'Accept-Encoding': 'identity' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('content-type')).toBe(packed.headers.get('content-type'));
    expect(await packed.text()).toBe(await plain.text());
  }
});

test('the gallery is less than half as large for a browser that reads WebP, and painted for one that reads AVIF', async () => {
  const url = '/checkpoints/organisms/gallery.png';
  const plain = await get(url);
  expect(plain.headers.get('content-type')).toBe('image/png');
  const small = await get(url, { Accept: 'image/webp,*/*;q=0.8' });
  const painted = await get(url, { Accept: 'image/avif,image/webp,*/*;q=0.8' });
  expect(small.headers.get('content-type')).toBe('image/webp');
  expect(painted.headers.get('content-type')).toBe('image/avif');
  for (const { headers } of [plain, small, painted]) {
    expect(headers.get('vary')).toContain('Accept');
    expect(headers.get('cache-control')).toBe('public, max-age=3600');
    expect(headers.get('etag')).toBeTruthy();
  }
  const [png, webp] = await Promise.all([plain, small].map((one) => one.arrayBuffer()));
  expect(webp.byteLength).toBeLessThan(png.byteLength / 2);
  const size = async (bytes: ArrayBuffer) => {
    const { width, height, hasAlpha } = await sharp(Buffer.from(bytes)).metadata();
    return { width, height, hasAlpha };
  };
  expect(await size(webp)).toEqual(await size(png));
  const avif = await painted.arrayBuffer();
  expect(avif.byteLength).toBeLessThan(400_000);
  const { width, height } = await size(png);
  expect(await size(avif)).toEqual({ width: 3 * width!, height: 3 * height!, hasAlpha: true });
  for (const name of ['nothing', '..%2f..', '%2e%2e']) {
    expect((await get(`/checkpoints/${name}/gallery.png`)).status).toBe(404);
  }
});

test('health and readiness are told with the checks they depend on', async () => {
  const health = { ticking: true, descriptors: true };
  expect(await (await get('/healthz')).json()).toEqual(health);
  const ready = await get('/readyz');
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ ...health, engine: true, keeping: null, open: true });
});

test('metrics contain no names', async () => {
  const figures = await get('/metrics');
  expect(figures.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await figures.text();
  expect(text).toMatch(/^vivarium_tick_seconds_count [1-9]\d*$/m);
  expect(text).toMatch(/^vivarium_room_participants\{room="yard"\} 0$/m);
  expect(text).toMatch(/^vivarium_engine\{name="\w+",device=".+"\} 1$/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
});

test('unknown paths and malformed URLs are rejected without details of the server', async () => {
  const malformed = ['/r/%ff', '/wall/%ff', '/assets/%ff', '/checkpoints/%ff/gallery.png'];
  const unknown = ['/package.json', '/server/main.ts', '/r', '/assets/../index.ts', '/%00'];
  for (const path of [...malformed, ...unknown]) {
    const answer = await get(path);
    expect([400, 404]).toContain(answer.status);
    expect(await answer.text()).not.toMatch(/node_modules|Error/);
  }
});

test('strict headers that still let a plain-http venue work', async () => {
  const { headers } = await get('/r/hall');
  const policy = headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  // The page may talk to the host that it came from, and to no other.
  expect(policy).toContain(
    `connect-src 'self' ws://127.0.0.1:${server.port} wss://127.0.0.1:${server.port};`,
  );
  expect(headers.get('set-cookie')).toBeNull();
  expect(policy).not.toContain('upgrade-insecure-requests');
  expect(headers.get('strict-transport-security')).toBeNull();
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-powered-by')).toBeNull();
});

test('by default, every name of a host is allowed; an invalid one does not get into the content security policy', async () => {
  const policy = await new Promise<string>((resolve, reject) => {
    const headers = { host: "x; script-src 'unsafe-inline'" };
    request({ port: server.port, host: '127.0.0.1', path: '/r/hall', headers }, (response) => {
      response.resume();
      resolve(String(response.headers['content-security-policy']));
    })
      .on('error', reject)
      .end();
  });
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/script-src [^;]*'unsafe-inline'/);
  expect((await ask('any.example', '/r/hall', {}, server.port)).status).toBe(200);
});

test('an address that sends too many requests has to wait; other addresses and health checks do not', async () => {
  const limits = 'fetchesAtOnce=5,fetchesPerSecond=2';
  const busy = await startServer({ ...SMALL, 'trust-proxy': 1, limits });
  afterTest(() => busy.close());
  const ask = (address: string, path = '/') =>
    fetch(`http://127.0.0.1:${busy.port}${path}`, {
      headers: { 'x-forwarded-for': address },
      redirect: 'manual',
    });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('10.0.0.1')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.filter(({ status }) => status === 302).length).toBeGreaterThanOrEqual(5);
  for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
  expect(busy.rejectionCounts.totals()['too-many-fetches']).toBe(refused.length);
  expect((await ask('10.0.0.2')).status).toBe(302);
  expect((await ask('10.0.0.1', '/healthz')).status).toBe(200);
  // A request after the announced delay is served.
  const { status } = await new Promise<Response>((resolve, reject) => {
    setTimeout(() => ask('10.0.0.1').then(resolve, reject), 1_000);
  });
  expect(status).toBe(302);
});

const SENTENCE = /^This server does not accept this host name\..*--hosts\.$/;
const named = suiteServer(
  { ...SMALL, size: '64x64', metrics: 0, hosts: 'play.museum.example' },
  { clientFolder: await ensureClient(() => {}) },
);

/** A request as a browser sends it to a host of that name. */
async function ask(
  host: string,
  path: string,
  headers: Record<string, string> = {},
  port?: number,
): Promise<{ status: number; body: string }> {
  const asked = request({
    ...{ port: port ?? (await named).server.port, path, headers: { ...headers, host } },
  }).end();
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
  const { server } = await named;
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
  const { server } = await named;
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
  const { port } = (await named).server;
  for (const host of ['play.museum.example', `localhost:${port}`, `127.0.0.1:${port}`]) {
    expect((await ask(host, '/r/garden')).status).toBe(200);
    expect((await upgrade(host)).status).toBe(101);
  }
  (await Visitor.join(port)).leave();
});

test('the network addresses that the server prints are allowed', async () => {
  const open = await startServer({ ...SMALL, size: '64x64', hosts: 'localhost', host: '0.0.0.0' });
  afterTest(() => open.close());
  const printed = open.networkOrigins().map((origin) => new URL(origin).host);
  const asked = [...printed, `localhost:${open.port}`];
  const answers = await Promise.all(asked.map((host) => ask(host, '/healthz', {}, open.port)));
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
});

test.each(['https://museum.example', 'museum.example:80', 'Museum.example', 'a b', ''])(
  '"%s" is no name of a host',
  async (hosts) => {
    await expect(startServer({ hosts })).rejects.toThrow('--hosts must be host names like ');
  },
);
