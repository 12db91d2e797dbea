/**
 * `npm run loadtest`: a crowd of real connections on a real server; measures, and is never part of
 * the tests.
 */
import { writeFile } from 'node:fs/promises';
import { SettingsError } from '../../server/settings/command-line.ts';
import { HELP, type LoadOptions, readOptions } from './options.ts';
import { compared, reportOf, table } from './report.ts';
import { runLoad } from './run.ts';
import { openFileLimit, splitCores } from './split.ts';

/** Files that a process has open besides its sockets. */
const OTHER_FILES = 100;

/** @throws SettingsError the system does not let a process have so many sockets */
function checkFiles({ clients, slow, stalled }: LoadOptions): void {
  // Those on bad lines have three sockets in their process: their own and two of the proxy.
  const needed = Math.max(clients + slow + stalled, 3 * (slow + stalled)) + OTHER_FILES;
  const limit = openFileLimit();
  if (limit >= needed) return;
  throw new SettingsError(
    `A process may open only ${limit} files, but ${needed} are needed. Raise the limit with "ulimit -Hn ${needed}" as root (or LimitNOFILE= of a service), or lower --clients.`,
  );
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    return;
  }
  checkFiles(options);
  const quiet = options.json === '-';
  const log = (line: string): void => {
    if (!quiet) console.log(line);
  };
  const split = splitCores(options.clients);
  const run = async (what: LoadOptions) => reportOf(await runLoad(what, split, log), what, split);
  const alone = options.compare ? await run({ ...options, slow: 0, stalled: 0 }) : undefined;
  const measured = await run(options);
  const report = alone ? compared(measured, alone) : measured;
  for (const line of table(report)) log(line);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (quiet) process.stdout.write(json);
  else if (options.json) await writeFile(options.json, json);
}

main().catch((error: unknown) => {
  if (error instanceof SettingsError) console.error(error.message);
  else console.error(error);
  process.exit(1);
});
