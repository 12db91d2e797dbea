/** Main script of `npm start`: reads the settings, starts the server and prints its addresses. */
import { inspect } from 'node:util';
import { ClusterError } from './cluster/valkey-connection.ts';
import { createVivariumServer } from './composition/create-server.ts';
import { engineLine, lossLine, terminalQr } from './composition/listen.ts';
import { ProcessEnd } from './composition/process-end.ts';
import { tokenRecoveryHint } from './host/host-token.ts';
import { ensureClient } from './http/serve-client.ts';
import { collectGarbageRarely } from './operations/metrics.ts';
import { findSupervisor, isService, RESTART_CODE } from './operations/supervisor.ts';
import { systemClock } from './platform/clock.ts';
import { jsonLog, type Log, textLog } from './platform/log.ts';
import { SettingsError, unknownVariables } from './settings/command-line.ts';
import { runCommand } from './settings/document.ts';
import { type Config, SERVER } from './settings/server.ts';
import { StoreError } from './storage/records.ts';

/**
 * Exits after a fatal error. Shows only the message of an error that the host can fix: an error
 * from Valkey, or an error with a `reason`. Shows other errors with their stack.
 *
 * @param log where to write the error; if absent, the console
 * @param advice sentence to append to the message, with a space before it
 */
function fail(error: unknown, log?: Log, advice = ''): never {
  const isFixable = error instanceof ClusterError || (error instanceof Error && 'reason' in error);
  const text = isFixable ? error.message + advice : inspect(error);
  if (log) log.error('fatal', text);
  else console.error(text);
  process.exit(1);
}

/** Returns advice if damaged data caused the error and `--on-damage` can help; otherwise ''. */
function adviceOn(error: unknown, { cluster, onDamage }: Config): string {
  const isDamage = error instanceof StoreError && error.reason === 'damaged';
  if (!isDamage || cluster !== undefined || onDamage === 'set-aside') return '';
  return ' To move damaged data aside and start, add --on-damage set-aside (see server/storage/RECOVERY.md).';
}

function tokenLine(token: string, { data, cluster }: Config): string {
  const hint = tokenRecoveryHint(data, cluster !== undefined);
  return `The host's token, shown only once: ${token} (if you lose the token: ${hint})`;
}

async function main(config: Config): Promise<void> {
  const isText = config.log === 'text';
  const log = isText ? textLog() : jsonLog();
  const end = (error: unknown): never =>
    fail(error, isText ? undefined : log, adviceOn(error, config));
  await start(config, log, end).catch(end);
}

async function start(config: Config, log: Log, onFatal: (error: unknown) => void): Promise<void> {
  if (config.role !== 'both' && config.cluster === undefined) {
    const text = `--role ${config.role} needs --cluster. Add --cluster, or remove --role. Without a cluster, a server always has the role "both".`;
    throw new SettingsError(text);
  }
  collectGarbageRarely();
  for (const sentence of unknownVariables(SERVER, process.env)) log.warn('no-setting', sentence);
  const clientFolder = await ensureClient((line) => log.info('build', line));
  const { supervised: setting } = config;
  const isSupervised = setting === 'auto' ? isService(process.env) : setting === 'yes';
  const supervisor = findSupervisor(process.env);
  const vivarium = await createVivariumServer({
    config,
    clientFolder,
    log,
    onEngineLoss: (loss) => log.warn('engine-loss', lossLine(loss)),
    onHeartbeat: () => supervisor?.beat(),
    restart: isSupervised ? () => end.begin(RESTART_CODE) : undefined,
    onFatal,
  });

  // Install the signal handlers before printing the addresses: a script may send a signal as soon
  // as it has read an address.
  const end = new ProcessEnd({
    ...{ clock: systemClock, log, onFailure: onFatal },
    close: () => vivarium.close(),
    exit: (code) => process.exit(code),
  });
  process.on('SIGINT', end.signal);
  process.on('SIGTERM', end.signal);
  supervisor?.ready();

  const { port, localOrigin: local, engine, skippedEngines, metricsPort, hostToken } = vivarium;
  const [room] = config.rooms;
  if (config.log === 'json') {
    if (hostToken !== undefined) log.info('host-token', tokenLine(hostToken, config));
    log.info('alive', `Vivarium is alive. ${engineLine(engine, skippedEngines)}`, {
      port,
      engine: engine.name,
      device: engine.device,
      ...(metricsPort !== undefined && { metricsPort }),
    });
    return;
  }
  const shared = vivarium.networkOrigins().map((origin) => `${origin}/r/${room}`);
  console.log(`\nVivarium is alive. ${engineLine(engine, skippedEngines)}\n`);
  console.log(`  this machine   ${local}/r/${room}`);
  for (const url of shared) console.log(`  on the network ${url}`);
  if (shared.length === 0)
    console.log(
      '  on the network no address, so phones cannot reach this server. Check --host and the network of this machine.',
    );
  if (metricsPort !== undefined)
    console.log(`  metrics        http://localhost:${metricsPort}/metrics`);
  const qrOrigin = vivarium.qrOrigin();
  console.log(qrOrigin === '' ? '' : `\n${terminalQr(`${qrOrigin}/r/${room}`)}\n`);
  if (hostToken !== undefined) {
    console.log(`${tokenLine(hostToken, config)}\n  sign in at     ${local}/host\n`);
  }
}

runCommand(SERVER, main).catch((error) => fail(error));
