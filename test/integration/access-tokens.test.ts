/** What programs may do with an access token, and what wrong tokens do to others: over real HTTP. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from 'jsonschema';
import { systemClock } from '../../server/platform/clock.ts';
import {
  CALLS,
  type CallName,
  FILES,
  LOGIN_CALLS,
  OPENAPI,
  pathOf,
} from '../../shared/host/api.ts';
import { ROLES, type Role, roleOf } from '../../shared/host/roles.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { createShiftedClock } from '../support/fake-clock.ts';
import { HostClient } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const clock = createShiftedClock();
const { server } = await suiteServer({ 'trust-proxy': 1, size: '64x64', ...SMALL }, { clock });
const host = await hostOf(server);

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
    ...{ checkpoint: 'none', aside: 'x', job: 'x', server: 'x', name: 'nowhere' },
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

test('a token is stored as its hash, and found again; there are at most 32', async () => {
  const data = suiteFolder();
  const settings = { data, size: '64x64', ...SMALL };
  const first = await startServer(settings);
  const own = await hostOf(first);
  const { token } = await own.call('makeToken', { name: 'Lights', role: 'operator' });
  for (let i = 1; i < 32; i++) await own.call('makeToken', { name: `${i}`, role: 'observer' });
  expect(await own.refusal('makeToken', { name: '33', role: 'host' })).toBe('too-many-tokens');
  await first.close();
  for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(join(file.parentPath, file.name), 'latin1');
    expect(bytes.includes(token) || bytes.includes(token.replaceAll('-', ''))).toBe(false);
  }
  const second = await startServer(settings);
  afterTest(() => second.close());
  const client = new HostClient(second.port, { authorization: `bearer ${token.toUpperCase()}` });
  await client.call('spotlight', { x: 1, y: 1 });
});

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
