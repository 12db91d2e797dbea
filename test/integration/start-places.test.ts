/**
 * Starting where something is in the way: a port that another program has, an address that is none.
 */

import { type AddressInfo, createServer } from 'node:net';
import { ListenError } from '../../server/composition/listen.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';

/** Another program, and its port. */
const other = createServer();
await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
afterSuite(() => other.close());
const taken = (other.address() as AddressInfo).port;

const SETTINGS = { ...SMALL, size: '64x64' };

test('a failed start says which port is taken, and makes no token, even with --new-host-token; the first successful start shows one', async () => {
  const settings = { ...SETTINGS, data: suiteFolder() };
  // Before and after its pages could have been had.
  for (const flag of ['port', 'metrics']) {
    const error = await startServer({ ...settings, [flag]: taken }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ListenError);
    const sentence = new RegExp(`^--${flag}: another program uses port \\d+\\. [^\\n]*$`);
    expect(error.message).toMatch(sentence);
  }
  const first = await startServer(settings);
  await hostOf(first);
  await first.close();
  const args = flagsOf({ ...settings, host: '127.0.0.1', port: taken });
  const failed = new ServerProcess([...args, '--new-host-token']);
  expect((await failed.ended).code).toBe(1);
  const second = await startServer(settings);
  expect(second.hostToken).toBeUndefined();
  await HostClient.login(second.port, first.hostToken!);
  await second.close();
});

test('an address that cannot be is refused by name, in one sentence', async () => {
  await expect(startServer({ ...SETTINGS, host: '203.0.113.77' })).rejects.toThrow(
    /^--host: this machine has no address 203[^\n]*$/,
  );
});

test('a server on localhost only shows no address for phones, and no code', async () => {
  const args = flagsOf({ ...SETTINGS, data: 'none', port: 0, host: '127.0.0.1' });
  const server = new ServerProcess(args);
  await server.says(/sign in at/);
  expect(server.output).toMatch(/this machine {3}http:\/\/localhost:\d+\/r\/garden/);
  expect(server.output).toContain('on the network none');
  expect(server.output).not.toMatch(/on the network http|█/);
  await server.end();
});
