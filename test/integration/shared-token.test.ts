/** The host's token of servers that share a Valkey. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterSuite } from '../support/closing.ts';
import { HostClient, Refused } from '../support/host-client.ts';
import { describeNeeding } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';

/** Whether a host is signed in. */
const isIn = (host: HostClient): Promise<boolean> =>
  host.call('session').then(
    () => true,
    (error: unknown) => !(error instanceof Refused),
  );

describeNeeding('Valkey', hasValkey)('servers with one Valkey', () => {
  const closing: (() => unknown)[] = [];
  afterSuite(async () => {
    for (const close of closing) await close();
  });

  test('those that start together have one token, and all hear of a new one', async () => {
    const valkey = await ValkeyServer.start();
    closing.push(() => valkey.remove());
    const settings = {
      ...{ port: 0, host: '127.0.0.1', data: 'none', cluster: valkey.url },
      ...SMALL,
    };
    const launch = (...more: string[]): ServerProcess => {
      const server = new ServerProcess([...flagsOf({ ...settings, role: 'gateway' }), ...more]);
      closing.unshift(() => server.end('SIGKILL'));
      return server;
    };
    const both = [launch(), launch()];
    const ports = await Promise.all(both.map((server) => server.alive()));
    const token = await Promise.race(both.map((server) => server.hostToken()));
    const hosts = await Promise.all(ports.map((port) => HostClient.login(port, token)));

    const newToken = await launch('--new-host-token').hostToken();
    for (const host of hosts) {
      // It is told after it is stored.
      while (await isIn(host)) await pause(20);
      expect(await host.refusal('login', { token })).toBe('wrong-token');
      await host.call('login', { token: newToken });
      expect(await isIn(host)).toBe(true);
    }
    expect(both.filter(({ output }) => /host's token/.test(output))).toHaveLength(1);
  });
});
