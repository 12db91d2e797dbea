/** What a host is told at the start when a Valkey cannot keep rooms. */

import { type AddressInfo, createServer } from 'node:net';
import { openChecked } from '../../../server/cluster/open-cluster.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { describeNeeding } from '../../support/needs.ts';
import { freePort } from '../../support/programs.ts';
import { hasValkey, ValkeyServer } from '../../support/valkey.ts';

const told = (url: string): Promise<string> =>
  openChecked(url, systemClock).then(
    (connection) => {
      connection.close();
      return 'fine';
    },
    ({ message }: Error) => message,
  );

test('nothing answers', async () => {
  expect(await told(`redis://127.0.0.1:${await freePort()}`)).toMatch(
    /^--cluster: Valkey at 127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED.*\)\. Check /,
  );
});

test('something takes the connection and says nothing', async () => {
  const silent = createServer((socket) => void socket.on('error', () => {}));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  expect(await told(`redis://127.0.0.1:${port}`)).toBe(
    `--cluster: Valkey at 127.0.0.1:${port} cannot be reached (Valkey does not answer). Check that Valkey runs, and that the URL is correct.`,
  );
  silent.close();
});

test('an old Redis', async () => {
  // Answers to INFO as Redis 6 does, and to anything else with OK.
  const info = '# Server\r\nredis_version:6.0.16\r\n';
  const old = createServer((socket) => {
    socket.on('data', (chunk) => {
      const commands = `${chunk}`.split('*').slice(1);
      for (const one of commands) {
        socket.write(one.includes('INFO\r') ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  const { port } = old.address() as AddressInfo;
  expect(await told(`redis://127.0.0.1:${port}`)).toBe(
    '--cluster: Redis 6.0.16 is too old. Use Redis 7.2 or later, or Valkey.',
  );
  old.close();
});

/** Asks a real Valkey, and again if a busy machine did not let it answer in time. */
async function answerOf(url: string): Promise<string> {
  for (;;) {
    const answer = await told(url);
    if (!answer.includes('does not answer')) return answer;
  }
}

describeNeeding('Valkey', hasValkey)('a real one', () => {
  test('each thing that is wrong is one sentence', async () => {
    const server = await ValkeyServer.start(['--requirepass', 'right']);
    const url = server.url.replace('//', '//:right@');
    const set = async (name: string, value: string): Promise<void> => {
      const connection = await openChecked(url, systemClock);
      await connection.ask('CONFIG', 'SET', name, value);
      connection.close();
    };
    expect(await answerOf(url)).toBe('fine');
    expect(await answerOf(server.url)).toMatch(/NOAUTH/);
    const wrong = await answerOf(server.url.replace('//', '//:wrong@'));
    expect(wrong).toMatch(/rejects the user or password/);
    // Passwords do not get into logs.
    expect(wrong).not.toContain('wrong@');
    await set('maxmemory', '1mb');
    expect(await answerOf(url)).toMatch(/Valkey uses all memory that "maxmemory" allows \(1 MiB\)/);
    const anew = async (): Promise<void> => {
      await server.kill();
      await server.up();
    };
    await anew();
    await set('maxmemory-policy', 'allkeys-lru');
    expect(await answerOf(url)).toBe('fine');
    for (const [name, value, sentence] of [
      ['maxmemory', '1gb', /Set "maxmemory-policy noeviction"\.$/],
      ['appendfsync', 'everysec', /"appendfsync always"\.$/],
      ['no-appendfsync-on-rewrite', 'yes', /"no-appendfsync-on-rewrite no"\.$/],
    ] as const) {
      await set(name, value);
      expect(await answerOf(url)).toMatch(sentence);
      await anew();
    }
    const admin = await openChecked(url, systemClock);
    // A disk that is busy for a moment.
    await admin.ask('CLIENT', 'PAUSE', 1_500, 'WRITE');
    expect(await answerOf(url)).toBe('fine');
    await admin.ask('ACL', 'SETUSER', 'some', 'on', '>some', '~*', '+@all', '-waitaof');
    expect(await answerOf(url.replace(':right', 'some:some'))).toMatch(
      /does not let this server store rooms \(NOPERM .*waitaof/,
    );
    await admin.ask('REPLICAOF', '127.0.0.1', '1');
    expect(await answerOf(url)).toMatch(/read-only replica/);
    admin.close();
    await server.remove();
    const divided = await ValkeyServer.start(['--cluster-enabled', 'yes']);
    expect(await answerOf(divided.url)).toMatch(/cannot use a Valkey cluster/);
    await divided.remove();
  });
});
