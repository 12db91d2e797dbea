/** `npm start`: reads the settings, starts the server, says where it is. */
import { existsSync } from 'node:fs';
import { DEFAULTS } from '../shared/defaults.ts';
import { createVivariumServer } from './app/create-server.ts';
import { ListenError } from './app/listen.ts';
import { engineLine, lossLine, terminalQr } from './app/startup-banner.ts';
import { EngineError } from './engine/engine.ts';
import { HookError } from './extensions/hook-error.ts';
import { tokenRecoveryHint } from './host/token-recovery.ts';
import { ensureClient } from './http/client-build.ts';
import { collectGarbageRarely } from './operations/garbage-collection.ts';
import { findSupervisor, isService, isSupervised, RESTART_CODE } from './operations/supervisor.ts';
import { jsonLog, textLog } from './platform/log.ts';
import { SettingsError } from './settings/command.ts';
import { type Config, helpText, readConfig } from './settings/server.ts';
import { StoreError } from './storage/store-error.ts';
import { CheckpointError } from './vnca/errors.ts';

/** Ends with one sentence for what the host can mend, and with all there is for what only we can. */
function fail(error: unknown): never {
  if (
    error instanceof SettingsError ||
    error instanceof CheckpointError ||
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

/** ms within which a signal is taken for the one before. */
const SAME_SIGNAL = 1_000;

/** Files that container engines put into each of their containers. */
const CONTAINER = ['/.dockerenv', '/run/.containerenv'];

function tokenLine(token: string, { data }: Config): string {
  const { env } = process;
  const by = CONTAINER.some((file) => existsSync(file))
    ? 'container'
    : isService(env)
      ? 'service'
      : 'hand';
  const way = tokenRecoveryHint({ by, data, folder: process.cwd(), user: env.USER });
  return `The host's token, shown this once: ${token} (lost? ${way})`;
}

async function main(): Promise<void> {
  collectGarbageRarely();
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') {
    console.log(helpText());
    return;
  }
  const asText = config.log === 'text';
  const log = asText ? textLog() : jsonLog();
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
        log.info('restart', 'It is time for the nightly restart.');
        stop(RESTART_CODE);
      } else {
        const hint = 'under systemd, or with --supervised yes where something else starts it anew';
        log.warn(
          'no-restart',
          `Nothing would start this server anew, so it goes on. Run it ${hint}.`,
        );
      }
    },
    onExhausted: supervised ? () => stop(RESTART_CODE) : undefined,
    onFatal: (error) => {
      if (!asText) log.error('fatal', error instanceof Error ? error.message : String(error));
      fail(error);
    },
  });

  // Before anything is said: who has read where the room is may also end it.
  let closing = false;
  let told = 0;
  const stop = (code: number): void => {
    // A second signal means that the host will not wait. But npm passes on what the terminal has sent already.
    if (closing && performance.now() - told > SAME_SIGNAL) process.exit(1);
    if (closing) return;
    closing = true;
    told = performance.now();
    setTimeout(() => {
      log.error('closing-too-slow', 'Something does not end; all that was answered is kept.');
      process.exit(1);
    }, DEFAULTS.operations.closing).unref();
    vivarium.close().then(() => process.exit(code), fail);
  };
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  supervisor?.ready();

  const {
    port,
    localOrigin: local,
    engine,
    skippedEngines: passed,
    metricsPort,
    hostToken,
  } = vivarium;
  const [room] = config.rooms;
  if (!asText) {
    if (hostToken !== undefined) log.info('host-token', tokenLine(hostToken, config));
    log.info('alive', `Vivarium is alive. ${engineLine(engine, passed)}`, {
      port,
      engine: engine.name,
      device: engine.device,
      ...(metricsPort !== undefined && { metricsPort }),
    });
    return;
  }
  const shared = vivarium.networkOrigins().map((origin) => `${origin}/r/${room}`);
  console.log(`\nVivarium is alive. ${engineLine(engine, passed)}\n`);
  console.log(`  this machine   ${local}/r/${room}`);
  for (const url of shared) console.log(`  on the network ${url}`);
  if (shared.length === 0) console.log('  on the network nowhere: phones do not reach this server');
  if (metricsPort !== undefined)
    console.log(`  figures        http://localhost:${metricsPort}/metrics`);
  // A code that leads nowhere is worse than none.
  const scanned = vivarium.qrOrigin();
  console.log(scanned === '' ? '' : `\n${terminalQr(`${scanned}/r/${room}`)}\n`);
  if (hostToken !== undefined) {
    console.log(`${tokenLine(hostToken, config)}\n  sign in at     ${local}/host\n`);
  }
}

main().catch(fail);
