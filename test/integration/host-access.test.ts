/** Who may make the host's calls, by signing in or by an access token, over real HTTP. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from 'jsonschema';
import { SESSION } from '../../server/host/host-sessions.ts';
import { LOGIN } from '../../server/host/login-throttle.ts';
import { MAX_BODY_BYTES } from '../../server/host/serve-calls.ts';
import { systemClock } from '../../server/platform/clock.ts';
import {
  CALLS,
  type CallName,
  FILES,
  LOGIN_CALLS,
  OPENAPI,
  pathOf,
  USED_HEADER,
} from '../../shared/host/api.ts';
import { ROLES, type Role, roleOf } from '../../shared/host/roles.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { ShiftedClock } from '../support/fake-clock.ts';
import { HostClient, type Refused } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const clock = new ShiftedClock();
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
  const parts = { room: 'garden', folder: 'x', ...numbers, ...named };
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

/** Expects that no file of a folder contains a token. */
function expectNotIn(data: string, token: string): void {
  for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(join(file.parentPath, file.name), 'latin1');
    expect(bytes.includes(token) || bytes.includes(token.replaceAll('-', ''))).toBe(false);
  }
}

test('the host’s token is made at the first start alone and shown once; it and at most 32 access tokens are kept as hashes', async () => {
  const data = suiteFolder();
  const settings = { data, size: '64x64', ...SMALL };
  const args = flagsOf({ ...settings, port: 0, host: '127.0.0.1' });
  const first = new ServerProcess(args);
  let port = await first.alive();
  const made = await first.hostToken();
  const own = await HostClient.login(port, made);
  const { token: lights } = await own.call('makeToken', { name: 'Lights', role: 'operator' });
  for (let i = 1; i < 32; i++) await own.call('makeToken', { name: `${i}`, role: 'observer' });
  expect(await own.refusal('makeToken', { name: '33', role: 'host' })).toBe('too-many-tokens');
  await first.end();
  for (const kept of [made, lights]) expectNotIn(data, kept);

  const second = await startServer(settings);
  await HostClient.login(second.port, made);
  expect(second.hostToken).toBeUndefined();
  const authorization = `bearer ${lights.toUpperCase()}`;
  await new HostClient(second.port, { authorization }).call('spotlight', { x: 1, y: 1 });
  await second.close();

  const third = new ServerProcess([...args, '--new-host-token']);
  port = await third.alive();
  const another = await third.hostToken();
  expect(another).not.toBe(made);
  await HostClient.login(port, another);
  expect(await new HostClient(port).refusal('login', { token: made })).toBe('wrong-token');
  await third.end();
});

describe('a program with an access token', () => {
  let host: HostClient;
  beforeAll(async () => {
    host = await hostOf(server);
  });

  /** A program with a token of that role, which is revoked after the test. */
  async function program(role: Role, from = '10.1.0.1') {
    const { id, token } = await host.call('makeToken', { name: `${role}’s`, role });
    afterTest(() => host.call('revokeToken', {}, { token: id }).catch(() => {}));
    return { client: bearer(token, from), id, token };
  }

  const MANY = isFull ? 10_000 : 1_000;
  const bearer = (token: string, from: string): HostClient =>
    new HostClient(server.port, { authorization: `Bearer ${token}`, 'x-forwarded-for': from });

  test('an operator pauses a room, and can neither see bans nor visitors, nor make tokens', async () => {
    const { client } = await program('operator');
    await client.call('pause', { paused: true });
    expect(server.rooms.settingsOf('garden').paused).toBe(true);
    await client.call('pause', { paused: false });
    const visitor = await Visitor.join(server.port, 'garden', 'Ada');
    const participant = visitor.welcome!.you.id;
    const ban = await host.call('ban', { participant, address: false, minutes: 1 });
    expect((await host.call('state')).bans).toEqual([ban]);
    const state = await client.call('state');
    expect([state.bans, state.rooms[0].name]).toEqual([null, 'garden']);
    await host.call('liftBan', {}, { ban: ban.id });
    for (const call of ['room', 'tokens', 'makeToken', 'session'] as const) {
      expect(await client.refusal(call)).toBe(call === 'session' ? 'no-session' : 'not-allowed');
    }
  });

  test('each role may make the calls and fetch the files of its list, and no others', async () => {
    const parts = {
      ...{ room: 'nowhere', tick: 1, ban: 1, wall: 1, drawing: 1, organism: 1, token: 1, frame: 1 },
      ...{ checkpoint: 'none', aside: 'x', job: 'x', server: 'x', name: 'nowhere', folder: 'x' },
    };
    const all = [
      ...Object.entries(CALLS).map(([name, { method, path }]) => [name, method, path]),
      ...Object.entries(FILES).map(([name, path]) => [name, 'GET', path]),
    ].filter(([name]) => !LOGIN_CALLS.includes(name) && name !== 'wallFrame');
    const allowed: Record<string, string[]> = {};
    for (const role of ROLES) {
      const { client, id } = await program(role);
      allowed[role] = [];
      for (const [name, method, path] of all) {
        // The body is wrong, so that nothing changes: whether it is allowed is decided before.
        const body = method === 'GET' ? {} : { body: '[]' };
        const headers = { 'content-type': 'application/json' };
        const response = await client.fetch(pathOf(path, parts), { method, headers, ...body });
        const isAllowed = response.status !== 403;
        await response.arrayBuffer();
        expect(`${role} ${name} ${isAllowed}`).toBe(
          `${role} ${name} ${ROLES.indexOf(role) >= ROLES.indexOf(roleOf(name))}`,
        );
        if (isAllowed) allowed[role].push(name);
        clock.ahead += 50;
      }
      await host.call('revokeToken', {}, { token: id });
    }
    // So that a new call is not given to programs by accident.
    const read = ['state', 'gallery', 'statistics', 'picture', 'logo', 'statistics', 'sign'];
    expect(allowed.observer).toEqual(expect.arrayContaining(read));
    expect(allowed.observer).toHaveLength(read.length);
    expect(allowed.operator).toHaveLength(read.length + 20);
    expect(allowed.host).toHaveLength(all.length);
  });

  test('a revoked token ends at once; one that calls too often waits', async () => {
    const { client, id } = await program('observer');
    clock.stopped = systemClock.now();
    const answers = await Promise.all(Array.from({ length: 90 }, () => client.fetch('/state')));
    clock.stopped = undefined;
    const slowed = answers.filter(({ status }) => status === 429);
    expect(slowed).toHaveLength(30);
    expect(await slowed[0].json()).toMatchObject({ reason: 'too-many-calls' });
    expect(Number(slowed[0].headers.get('retry-after'))).toBeGreaterThan(0);
    await host.call('revokeToken', {}, { token: id });
    expect(await client.refusal('state')).toBe('wrong-token');
    expect(await host.refusal('revokeToken', {}, { token: id })).toBe('no-such-token');
  });

  test(`${MANY} wrong tokens, from one address and from many, lock nobody else out`, async () => {
    const { client } = await program('operator', '10.9.9.9');
    const reasons = new Map<string, number>();
    for (let i = 0; i < MANY; i += 50) {
      const tries = Array.from({ length: 50 }, async (_, j) => {
        const from = j % 2 ? '10.9.9.9' : `10.2.${(i + j) >> 8}.${(i + j) & 255}`;
        const reason = await bearer(`wrong-${i + j}`, from).refusal('state');
        reasons.set(reason, 1 + (reasons.get(reason) ?? 0));
      });
      await Promise.all(tries);
    }
    expect([...reasons.keys()].sort()).toEqual(['too-many-tries', 'wrong-token']);
    expect([...reasons.values()].reduce((sum, n) => sum + n)).toBe(MANY);
    // The program and the host are let in at once, also from the address of the wrong ones.
    await client.call('state');
    const login = new HostClient(server.port, { 'x-forwarded-for': '10.9.9.9' });
    await login.call('login', { token: server.hostToken });
    (await Visitor.join(server.port)).leave();
  }, 60_000);

  test('the OpenAPI document has all calls, and what the server answers fits it', async () => {
    const url = `http://127.0.0.1:${server.port}${pathOf(OPENAPI)}`;
    // biome-ignore lint/suspicious/noExplicitAny: its form is what is tested
    const { paths, openapi } = (await (await fetch(url)).json()) as any;
    expect(openapi).toBe('3.1.0');
    const validator = new Validator();
    const operations = Object.values<object>(paths).flatMap((path) => Object.values(path));
    expect(operations.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(Object.keys(CALLS).filter((name) => !LOGIN_CALLS.includes(name))),
    );
    for (const name of ['state', 'room', 'tokens', 'statistics'] as const satisfies CallName[]) {
      const { path } = CALLS[name];
      const { responses } = paths[path.replace(/:(\w+)/g, '{$1}')].get;
      const { schema } = responses[200].content['application/json'];
      const answer = await host.call(name);
      expect(validator.validate(answer, schema).errors).toEqual([]);
      expect(validator.validate({}, schema).valid).toBe(false);
    }
    const { schema } = paths['/rooms/{room}/presence'].post.requestBody.content['application/json'];
    expect(validator.validate({ x: 1, y: 1, strength: 0.5 }, schema).valid).toBe(true);
    expect(validator.validate({ x: 1, y: 1, strength: 2 }, schema).valid).toBe(false);
  });
});
