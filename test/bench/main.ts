/** `npm run bench -- <name> [options]`: measures; never part of the tests. */
import { collectGarbageRarely } from '../../server/operations/metrics.ts';
import { benchCommand } from './command.ts';

// As in the server, which is what is measured.
collectGarbageRarely();
try {
  const voice = { say: console.log, complain: console.error };
  const code = await benchCommand(process.argv.slice(2), voice);
  if (code !== 0) process.exit(code);
} catch (error) {
  console.error(error);
  // An engine or a server that a failed bench has left would keep the process alive.
  process.exit(1);
}
