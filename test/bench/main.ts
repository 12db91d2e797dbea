/** `npm run bench -- <name> [--json FILE]`: measures; never part of the tests. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { benchTick } from './tick.ts';

const BENCHES = {
  tick: {
    run: benchTick,
    help: 'cells/s and ms a tick of a room: 1 to 256 organisms, growing and grown',
  },
} as const;

const HELP = [
  'npm run bench -- <name> [--json FILE]',
  '',
  ...Object.entries(BENCHES).map(([name, { help }]) => `  ${name.padEnd(8)}${help}`),
  '',
  '  --json FILE   also writes the figures there; without a file, prints nothing but them',
].join('\n');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, help: { type: 'boolean' } },
    // `--json` alone is allowed and means standard output.
    args: process.argv.slice(2).map((arg, i, all) => {
      return arg === '--json' && (all[i + 1] ?? '-').startsWith('-') ? '--json=-' : arg;
    }),
  });
  const bench = BENCHES[positionals[0] as keyof typeof BENCHES];
  if (values.help || !bench) {
    console.log(HELP);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const quiet = values.json === '-';
  const figures = await bench.run((line) => {
    if (!quiet) console.log(line);
  });
  const json = `${JSON.stringify(figures, null, 2)}\n`;
  if (quiet) process.stdout.write(json);
  else if (values.json) await writeFile(values.json, json);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
