/**
 * Main script of the command `host-token`: creates a new access token for the host's page and
 * prints it.
 */
import { HostToken } from '../host/host-token.ts';
import { systemClock } from '../platform/clock.ts';
import { commandLine } from '../platform/installation.ts';
import { textLog } from '../platform/log.ts';
import { SettingsError } from '../settings/command-line.ts';
import { runCommand } from '../settings/document.ts';
import { SERVER } from '../settings/server.ts';
import { openStorage } from './open-storage.ts';

const { data, cluster, onDamage } = SERVER.options;
const COMMAND = {
  about:
    'Creates and prints a new token for the host’s page. The old token stops working. If the server is not in a cluster, stop the server first.',
  usage: commandLine('host-token', '[options]'),
  options: { data, cluster, onDamage },
  environment: SERVER.environment,
} as const;

runCommand(COMMAND, async (config) => {
  const folder = config.data === 'none' ? undefined : config.data;
  const services = { clock: systemClock, date: Date.now, log: textLog() };
  const opened = await openStorage(config, folder, services);
  if (!opened)
    throw new SettingsError(
      'With --data none, the server stores no token. Each start of the server creates a new token.',
    );
  const token = await HostToken.open(opened.store, true);
  await token.keep(Date.now());
  await opened.close();
  console.log(token.fresh);
}).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
