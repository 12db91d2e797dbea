/** Who may call as the host, and who may not: over real HTTP. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOGIN, SESSION } from '../../server/host/host-sessions.ts';
import { MAX_BODY_BYTES } from '../../server/host/serve-calls.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { CALLS, pathOf, USED_HEADER } from '../../shared/host/api.ts';
import { suiteFolder } from '../support/closing.ts';
import { createShiftedClock } from '../support/fake-clock.ts';
import { HostClient, type Refused } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { suiteServer } from '../support/suite.ts';

const clock = createShiftedClock();
const date = () => Date.now() + clock.ahead;
const { server } = await suiteServer(
  { 'trust-proxy': 1, size: '64x64', ...SMALL },
  { clock, date },
);
const token = server.hostToken!;
/** Each test comes from an address of its own. */
let addresses = 0;
const elsewhere = (): HostClient =>
  new HostClient(server.port, { 'x-forwarded-for': `10.0.${addresses >> 8}.${addresses++ & 255}` });

const post = (client: HostClient, path: string, body: string, headers = {}): Promise<Response> =>
  client.fetch(path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

const reasonOf = async (response: Response): Promise<string> =>
  `${response.status} ${((await response.json()) as { reason: string }).reason}`;

async function signedIn(): Promise<HostClient> {
  const client = elsewhere();
  await client.call('login', { token });
  return client;
}

test("with the token one is signed in, however it is typed; the cookie is no page's to read", async () => {
  const client = elsewhere();
  const typed = ` ${token.toUpperCase().replaceAll('-', ' ')}`;
  const response = await post(client, '/login', JSON.stringify({ token: typed }));
  expect(response.status).toBe(200);
  const [cookie] = response.headers.getSetCookie();
  expect(cookie).toMatch(/^vivarium-host-[0-9a-f]{8}=[\w-]{43}; /);
  for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/host']) expect(cookie).toContain(word);
  expect(cookie).not.toContain('Secure');
  // Where the proxy takes the request by TLS, the browser must not send it in clear.
  const byTls = await post(client, '/login', JSON.stringify({ token }), {
    'x-forwarded-proto': 'https',
  });
  expect(byTls.headers.getSetCookie()[0]).toContain('; Secure');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('access-control-allow-origin')).toBeNull();

  await client.call('login', { token });
  const { key } = await client.call('session');
  expect(key).toBe(client.key);
  expect((await client.call('state')).rooms.map(({ name }) => name)).toEqual(['garden']);
});

test('without a session every call is refused, before anything of it is read', async () => {
  const client = elsewhere();
  const numbers = { tick: 1, ban: 1, wall: 1, drawing: 1, token: 1 };
  const named = { checkpoint: 'organisms', aside: 'x', job: 'x', server: 'x', name: 'garden' };
  const parts = { room: 'garden', ...numbers, ...named };
  for (const [name, { method, path }] of Object.entries(CALLS)) {
    if (name === 'login') continue;
    const headers = { 'content-type': 'application/json' };
    const response = await client.fetch(pathOf(path, parts), {
      method,
      ...(method !== 'GET' && { headers, body: '{not json' }),
    });
    expect(`${name} ${await reasonOf(response)}`).toBe(`${name} 401 no-session`);
  }
  client.cookie = 'vivarium-host-00000000=made-up';
  expect(await client.refusal('state')).toBe('no-session');
});

test('a wrong token is refused; after some, its address waits ever longer', async () => {
  const client = elsewhere();
  const waits: number[] = [];
  clock.stopped = systemClock.now();
  for (let i = 0; i < LOGIN.free + 3; i++) {
    const error = (await client.call('login', { token: `wrong ${i}` }).catch((e) => e)) as Refused;
    expect(error.reason).toBe('wrong-token');
    const { retryAfter = 0 } = error.refusal;
    waits.push(retryAfter);
    if (retryAfter === 0) continue;
    const again = (await client.call('login', { token: 'more' }).catch((e) => e)) as Refused;
    expect(`${again.status} ${again.reason}`).toBe('429 too-many-tries');
    clock.ahead += retryAfter;
  }
  clock.stopped = undefined;
  const { free, firstDelay } = LOGIN;
  expect(waits.slice(0, free - 1)).toEqual(Array(free - 1).fill(0));
  expect(waits.slice(free - 1)).toEqual([1, 2, 4, 8].map((n) => n * firstDelay));
  // The host may have mistyped the token: a correct login clears the count.
  await client.call('login', { token });
  expect(await client.refusal('login', { token: 'wrong' })).toBe('wrong-token');
});

test('many addresses that try together are one: all of them wait', async () => {
  for (let i = 0; i < LOGIN.allFree; i++) {
    expect(await elsewhere().refusal('login', { token: 'wrong' })).toBe('wrong-token');
  }
  const one = elsewhere();
  expect(await one.refusal('login', { token: 'wrong' })).toBe('wrong-token');
  expect(await one.refusal('login', { token: 'wrong' })).toBe('too-many-tries');
  expect(await elsewhere().refusal('login', { token: 'wrong' })).toBe('wrong-token');
});

test('nobody keeps the host out by wrong tokens from the same address', async () => {
  const visitor = elsewhere();
  for (let i = 0; i <= LOGIN.free; i++) await visitor.refusal('login', { token: 'wrong' });
  expect(await visitor.refusal('login', { token: 'wrong' })).toBe('too-many-tries');
  const host = new HostClient(server.port, visitor.headers);
  await host.call('login', { token });
  expect((await host.call('session')).key).toBe(host.key);
});

test('what changes something needs the key of its session', async () => {
  const client = await signedIn();
  const other = await signedIn();
  const { key } = client;
  for (const wrong of ['', 'made-up', other.key, `${key}x`]) {
    client.key = wrong;
    expect(await client.refusal('changeSettings', { names: false })).toBe('wrong-key');
  }
  expect(server.rooms.settingsOf('garden').names).toBe(true);
  client.key = key;
  await client.call('changeSettings', { names: true });
});

test.each([
  ['another site', { origin: 'http://evil.example' }],
  ['another port', { origin: 'http://127.0.0.1:1' }],
  ['nowhere', { origin: 'null' }],
  ['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
  ['what a browser calls same-site', { 'sec-fetch-site': 'same-site' }],
])('a page of %s can do nothing, with the cookie and the key', async (_, headers) => {
  const client = await signedIn();
  const room = { name: 'attic', width: 64, height: 64, checkpoint: 'organisms' };
  const response = await post(client, '/rooms', JSON.stringify(room), headers);
  expect(await reasonOf(response)).toBe('403 wrong-origin');
  const login = await post(elsewhere(), '/login', JSON.stringify({ token }), headers);
  expect(await reasonOf(login)).toBe('403 wrong-origin');
  expect(server.rooms.names).toEqual(['garden']);
});

test('browsers are told nothing that would let other pages in', async () => {
  const client = await signedIn();
  const response = await client.fetch('/rooms', {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual(
    [],
  );
});

/** What a page says of its host when it asks for the state of things. */
const touched = (client: HostClient): HostClient => {
  const { headers, ...rest } = client;
  return Object.assign(new HostClient(client.port, { ...headers, [USED_HEADER]: '1' }), rest);
};

test('a session ends when it is idle, when it is too old, and on sign-out', async () => {
  const idle = await signedIn();
  clock.ahead += SESSION.idle - 60_000;
  await touched(idle).call('state');
  clock.ahead += SESSION.idle - 60_000;
  await idle.call('changeSettings');
  // A page that is left open asks on and on.
  for (let passed = 0; passed < SESSION.idle; passed += SESSION.idle / 4) {
    await idle.call('state');
    await idle.fetch('/rooms/garden/picture.png');
    clock.ahead += SESSION.idle / 4;
  }
  expect(await idle.refusal('state')).toBe('no-session');

  const old = await signedIn();
  for (let passed = 0; passed < SESSION.life; passed += SESSION.idle / 2) {
    clock.ahead += SESSION.idle / 2;
    if (passed + SESSION.idle / 2 < SESSION.life) await touched(old).call('state');
  }
  expect(await old.refusal('state')).toBe('no-session');

  const gone = await signedIn();
  const { cookie } = gone;
  await gone.call('logout');
  gone.cookie = cookie;
  expect(await gone.refusal('state')).toBe('no-session');
});

const ROOM = { width: 64, height: 64, checkpoint: 'organisms' };
const UNDO = { seconds: 5, participant: null };

test.each<[reason: string, path: string, body: unknown, headers?: Record<string, string>]>([
  ['400 not-json', '/rooms', '{"name":'],
  ['400 not-json', '/rooms', '"a text"'],
  ['400 not-json', '/rooms', 'name=x', { 'content-type': 'text/plain' }],
  ['400 bad-call', '/rooms', '{}', { 'content-encoding': 'br' }],
  ['400 bad-call', '/rooms', {}],
  ['400 bad-call', '/rooms', { ...ROOM, name: '../x' }],
  ['413 too-large', '/rooms', { name: 'x'.repeat(MAX_BODY_BYTES) }],
  ['400 bad-call', '/login', []],
  ['400 bad-call', '/login', { token: 'x'.repeat(1_000) }],
  ['400 bad-call', '/rooms/garden/undo', { ...UNDO, seconds: 1e9 }],
  ['400 bad-call', '/rooms/garden/undo', { ...UNDO, more: 1 }],
  ['404 unknown-call', '/nothing', {}],
])(
  '%s: a call of %s of a wrong form is refused, and changes nothing',
  async (reason, path, body, headers = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(await reasonOf(await post(await signedIn(), path, text, headers))).toBe(reason);
    expect(server.rooms.names).toEqual(['garden']);
  },
);

test.each([
  ['400 bad-call', '%ff'],
  ['404 no-such-room', 'attic'],
  ['404 no-such-room', '__proto__'],
])('%s: there is no room "%s"', async (reason, room) => {
  expect(await reasonOf(await (await signedIn()).fetch(`/rooms/${room}`))).toBe(reason);
});

test('a token is made at the first start alone, shown once, and kept as its hash', async () => {
  const data = suiteFolder();
  const settings = { data, size: '64x64', ...SMALL };
  const args = flagsOf({ ...settings, port: 0, host: '127.0.0.1' });
  const first = new ServerProcess(args);
  let port = await first.alive();
  const made = await first.hostToken();
  await HostClient.login(port, made);
  await first.end();
  for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(join(file.parentPath, file.name), 'latin1');
    expect(bytes.includes(made) || bytes.includes(made.replaceAll('-', ''))).toBe(false);
  }

  const second = await startServer(settings);
  await HostClient.login(second.port, made);
  expect(second.hostToken).toBeUndefined();
  await second.close();

  const third = new ServerProcess([...args, '--new-host-token']);
  port = await third.alive();
  const another = await third.hostToken();
  expect(another).not.toBe(made);
  await HostClient.login(port, another);
  expect(await new HostClient(port).refusal('login', { token: made })).toBe('wrong-token');
  await third.end();
});
