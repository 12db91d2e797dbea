/** `npm start`: reads the settings, starts the server, says where it is. */
import { engineLine, lanAddresses, lossLine, terminalQr } from './announce.ts';
import { ConfigError, helpText, readConfig } from './config.ts';
import { EngineError } from './engine/engine.ts';
import { ensureClient } from './http/client-build.ts';
import { startVivarium } from './vivarium.ts';
import { CheckpointError } from './vnca/errors.ts';

/** Ends with one sentence for what the host can mend, and with all there is for what only we can. */
function fail(error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (
    error instanceof ConfigError ||
    error instanceof CheckpointError ||
    error instanceof EngineError
  ) {
    console.error(error.message);
  } else if (code === 'EADDRINUSE') {
    console.error(
      'The port is taken by another program. Choose another one: npm start -- --port 8081',
    );
  } else {
    console.error(error);
  }
  process.exit(1);
}

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') {
    console.log(helpText());
    return;
  }
  const clientFolder = await ensureClient(console.log);
  const vivarium = await startVivarium({
    config,
    clientFolder,
    onLoss: (loss) => console.warn(lossLine(loss)),
    onFatal: fail,
  });

  // Before anything is said: who has read where the room is may also end it.
  let closing = false;
  const stop = (): void => {
    // A second signal means that the host will not wait.
    if (closing) process.exit(1);
    closing = true;
    vivarium.close().then(() => process.exit(0), fail);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const [room] = config.rooms;
  const local = `http://localhost:${vivarium.port}/r/${room}`;
  const shared = lanAddresses().map((address) => `http://${address}:${vivarium.port}/r/${room}`);
  console.log(`\nVivarium is alive. ${engineLine(vivarium.engine, vivarium.passed)}\n`);
  console.log(`  this machine   ${local}`);
  for (const url of shared) console.log(`  on the network ${url}`);
  console.log(`\n${terminalQr(shared[0] ?? local)}\n`);
}

main().catch(fail);
