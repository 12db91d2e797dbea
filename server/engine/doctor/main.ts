/** `npm run doctor`: what this machine steps cells with, and what would be better. */
import { parseArgs } from 'node:util';
import { readConfig } from '../../config.ts';
import { examine } from './examine.ts';
import { reportText } from './print.ts';

const SECONDS = 2;
const LONGEST = 60;

const HELP = `Says which engines this machine has, what each needs, which one --engine auto takes and why,
what to install for a better one, and how fast each steps cells.

npm run doctor [-- --json]

  --json       the same as JSON, and nothing else, on standard output
  --seconds N  how long each engine is measured (${SECONDS})
  --help       this text

The net is that of VIVARIUM_CHECKPOINT, else of the checkpoint that rooms have by default.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      seconds: { type: 'string', default: `${SECONDS}` },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= LONGEST)) {
    throw new Error(
      `--seconds must be more than 0 and at most ${LONGEST}, not "${values.seconds}".`,
    );
  }
  const { VIVARIUM_CHECKPOINT } = process.env;
  const config = readConfig([], { VIVARIUM_CHECKPOINT });
  if (config === 'help') throw new Error('no help wanted');
  const report = await examine({
    checkpoint: config.checkpoint,
    seconds,
    // On the other stream: what is piped on is the report alone.
    progress: (line) => console.error(line),
  });
  console.log(values.json ? JSON.stringify(report, null, 2) : `\n${reportText(report)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
