/**
 * `npm run loadtest`: a crowd of real connections on a real server; measures, and is never part of
 * the tests.
 */
import { writeFile } from 'node:fs/promises';
import { SettingsError } from '../../server/settings/command-line.ts';
import { HELP, type LoadOptions, readOptions } from './options.ts';
import { compared, reportOf } from './report.ts';
import { runLoad } from './run.ts';
import { splitCores } from './split.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    return;
  }
  const quiet = options.json === '-';
  const log = (line: string): void => {
    if (!quiet) console.log(line);
  };
  const split = splitCores(options.clients);
  const run = async (what: LoadOptions) => reportOf(await runLoad(what, split, log), what, split);
  const alone = options.compare ? await run({ ...options, slow: 0, stalled: 0 }) : undefined;
  const measured = await run(options);
  const report = alone ? compared(measured, alone) : measured;
  const json = JSON.stringify(report, null, 2);
  if (options.json === undefined || quiet) console.log(json);
  else await writeFile(options.json, `${json}\n`);
}

main().catch((error: unknown) => {
  if (error instanceof SettingsError) console.error(error.message);
  else console.error(error);
  process.exit(1);
});
