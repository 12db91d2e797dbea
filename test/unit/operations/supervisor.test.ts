/** Detects whether a supervisor restarts the server process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isService } from '../../../server/operations/supervisor.ts';

const names: Record<string, string> = {
  '700': 'npm start\n',
  '800': 'gnome-terminal-\n',
  '900': 'npmrc-editor\n',
};
const nameOf = (pid: string): string => names[pid] ?? '';

test.each([
  { NOTIFY_SOCKET: '/run/systemd/notify' },
  { SYSTEMD_EXEC_PID: '1000' },
  { SYSTEMD_EXEC_PID: '700' },
])('a process that systemd has started, directly or by npm, is a service: %j', (environment) => {
  expect(isService(environment, 1_000, nameOf)).toBe(true);
});

test("a process in a desktop terminal inherits systemd's environment, but is not a service", () => {
  for (const SYSTEMD_EXEC_PID of ['800', '900', '12', '', '../700', undefined]) {
    const environment = { INVOCATION_ID: 'f00d', NOTIFY_SOCKET: '', SYSTEMD_EXEC_PID };
    const terminal = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-7.scope\n';
    expect(isService(environment, 1_000, nameOf, () => terminal)).toBe(false);
  }
  expect(isService({}, 1_000, nameOf)).toBe(false);
});

test('under an old systemd, or started by a script, a service is recognised by its control group', () => {
  const INVOCATION_ID = 'f00d';
  const among = (group: string, environment = {}): boolean =>
    isService({ INVOCATION_ID, ...environment }, 1_000, nameOf, () => group);
  expect(among('0::/system.slice/vivarium.service\n')).toBe(true);
  const old =
    '12:cpu:/system.slice/vivarium.service\n1:name=systemd:/system.slice/vivarium.service\n';
  expect(among(old, { SYSTEMD_EXEC_PID: '800' })).toBe(true);
  const others = ['0::/system.slice/cron.service\n', '0::/user.slice/a.scope\n'];
  for (const group of ['', '0::/\n', ...others]) expect(among(group)).toBe(false);
  expect(isService({}, 1_000, nameOf, () => '0::/system.slice/vivarium.service\n')).toBe(false);
});

test('npm is recognised by its process title', async () => {
  const npm = spawn(process.execPath, [
    '--eval',
    "process.title = 'npm start'; console.log('named'); process.stdin.resume();",
  ]);
  const gone = once(npm, 'close');
  await once(npm.stdout, 'data');
  expect(isService({ SYSTEMD_EXEC_PID: `${npm.pid}` })).toBe(true);
  npm.stdin.end();
  await gone;
  expect(isService({ SYSTEMD_EXEC_PID: `${npm.pid}` })).toBe(false);
});

test('a heartbeat for which the system starts no process does not end the server', async () => {
  const server = spawn(process.execPath, [
    ...['--import', 'tsx', '--input-type=module', '--eval'],
    `import { findSupervisor } from './server/operations/supervisor.ts';
    // No program starts with an environment of this size.
    process.env.HUGE = 'x'.repeat(200_000);
    findSupervisor({ NOTIFY_SOCKET: '/nowhere' }).beat();`,
  ]);
  expect(await once(server, 'close')).toEqual([0, null]);
});
