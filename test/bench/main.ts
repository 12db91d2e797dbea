/** `npm run bench -- <name> [--json FILE]`: measures; never part of the tests. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { benchTick } from './tick.ts';
import { benchTrain } from './train.ts';

const BENCHES = {
  tick: {
    run: benchTick,
    help: 'cells/s and ms a tick of a room: 1 to 256 organisms, growing and grown',
  },
  train: {
    run: benchTrain,
    help: 'GFLOP/s of forward and backward of update nets on each back end; --pytorch compares',
  },
} as const;

const HELP = [
  'npm run bench -- <name> [--json FILE] [--pytorch]',
  '',
  ...Object.entries(BENCHES).map(([name, { help }]) => `  ${name.padEnd(8)}${help}`),
  '',
  '  --json FILE   also writes the figures there; without a file, prints nothing but them',
  '  --pytorch     for train: the same nets in PyTorch too, where python3 has it, in turn in the same run',
].join('\n');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, pytorch: { type: 'boolean' }, help: { type: 'boolean' } },
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
  }, values);
  const json = `${JSON.stringify(figures, null, 2)}\n`;
  if (quiet) process.stdout.write(json);
  else if (values.json) await writeFile(values.json, json);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
