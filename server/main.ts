/** The entry of `npm start`: reads the settings, starts the server and prints its addresses. */
import { existsSync } from 'node:fs';
import { DEFAULTS } from '../shared/defaults.ts';
import { createVivariumServer } from './app/create-server.ts';
import { ListenError } from './app/listen.ts';
import { engineLine, lossLine, terminalQr } from './app/startup-banner.ts';
import { ClusterError } from './cluster/cluster-error.ts';
import { EngineError } from './engine/engine.ts';
import { HookError } from './extensions/hook-error.ts';
import { tokenRecoveryHint } from './host/token-recovery.ts';
import { ensureClient } from './http/client-build.ts';
import { collectGarbageRarely } from './operations/garbage-collection.ts';
import { findSupervisor, isService, isSupervised, RESTART_CODE } from './operations/supervisor.ts';
import { jsonLog, textLog } from './platform/log.ts';
import { SettingsError } from './settings/command.ts';
import { runCommand } from './settings/help.ts';
import { type Config, SERVER } from './settings/server.ts';
import { unknownVariables } from './settings/unknown-variables.ts';
import { StoreError } from './storage/store-error.ts';
import { CheckpointError } from './vnca/errors.ts';

/**
 * Exits with one sentence for errors that the host can fix, and with the full error for all
 * others.
 */
function fail(error: unknown): never {
  if (
    error instanceof SettingsError ||
    error instanceof CheckpointError ||
    error instanceof ClusterError ||
    error instanceof EngineError ||
    error instanceof HookError ||
    error instanceof ListenError ||
    error instanceof StoreError
  ) {
    console.error(error.message);
  } else {
    console.error(error);
  }
  process.exit(1);
}

/** Two signals within this time count as one, ms. */
const SAME_SIGNAL = 1_000;

/** Files that container engines create in each container. */
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv'];

function tokenLine(token: string, { data }: Config): string {
  const { env } = process;
  const by = CONTAINER_FILES.some((file) => existsSync(file))
    ? 'container'
    : isService(env)
      ? 'service'
      : 'hand';
  const hint = tokenRecoveryHint({ by, data, folder: process.cwd(), user: env.USER });
  return `The host's token, shown this once: ${token} (lost? ${hint})`;
}

async function main(config: Config): Promise<void> {
  if (config.role !== 'both' && config.cluster === undefined) {
    throw new SettingsError(`--role ${config.role} needs --cluster; a server alone is both`);
  }
  collectGarbageRarely();
  const asText = config.log === 'text';
  const log = asText ? textLog() : jsonLog();
  for (const sentence of unknownVariables(SERVER, process.env)) log.warn('no-setting', sentence);
  const clientFolder = await ensureClient((line) => log.info('build', line));
  const supervised = isSupervised(config.supervised, process.env);
  const supervisor = findSupervisor(process.env, () => performance.now());
  const vivarium = await createVivariumServer({
    config,
    clientFolder,
    log,
    onEngineLoss: (loss) => log.warn('engine-loss', lossLine(loss)),
    onHeartbeat: () => supervisor?.beat(),
    onRestart: () => {
      if (supervised) {
        log.info('restart', 'The nightly restart begins.');
        stop(RESTART_CODE);
      } else {
        log.warn(
          'no-restart',
          'The nightly restart is skipped, because no supervisor would start the server again. Run it under systemd, or use --supervised yes with another supervisor.',
        );
      }
    },
    isSupervised: supervised,
    onExhausted: supervised ? () => stop(RESTART_CODE) : undefined,
    onFatal: (error) => {
      if (!asText) log.error('fatal', error instanceof Error ? error.message : String(error));
      fail(error);
    },
  });

  // Installed before the banner: a script that has read the address may send a signal at once.
  let closing = false;
  let lastSignalAt = 0;
  const stop = (code: number): void => {
    // A second signal means that the host does not want to wait. npm forwards signals that the
    // terminal has sent to this process already, so two in quick succession count as one.
    if (closing && performance.now() - lastSignalAt > SAME_SIGNAL) process.exit(1);
    if (closing) return;
    closing = true;
    lastSignalAt = performance.now();
    setTimeout(() => {
      log.error(
        'closing-too-slow',
        'Shutdown takes too long; exiting now. Everything answered so far is saved.',
      );
      process.exit(1);
    }, DEFAULTS.operations.closing).unref();
    vivarium.close().then(() => process.exit(code), fail);
  };
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  supervisor?.ready();

  const { port, localOrigin: local, engine, skippedEngines, metricsPort, hostToken } = vivarium;
  const [room] = config.rooms;
  if (!asText) {
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
  if (shared.length === 0) console.log('  on the network none: phones cannot reach this server');
  if (metricsPort !== undefined)
    console.log(`  metrics        http://localhost:${metricsPort}/metrics`);
  const qrOrigin = vivarium.qrOrigin();
  console.log(qrOrigin === '' ? '' : `\n${terminalQr(`${qrOrigin}/r/${room}`)}\n`);
  if (hostToken !== undefined) {
    console.log(`${tokenLine(hostToken, config)}\n  sign in at     ${local}/host\n`);
  }
}

runCommand(SERVER, main).catch(fail);
