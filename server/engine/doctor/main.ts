/** `npm run doctor`: reports which engines work on this machine and how fast they are. */
import { commandLine } from '../../platform/installation.ts';
import type { Values } from '../../settings/command-line.ts';
import { runCommand } from '../../settings/document.ts';
import { DEFAULT_CHECKPOINT, SERVER } from '../../settings/server.ts';
import { number, text } from '../../settings/server-types.ts';
import { examine, reportText } from './examine.ts';

const COMMAND = {
  about:
    'Shows which engines work on this machine, what each engine needs, and how fast each engine computes cells. Also shows which engine --engine auto selects, and what to install for a better engine.',
  usage: commandLine('doctor', '[options]'),
  options: {
    json: { help: 'print only the report, as JSON, on standard output' },
    seconds: {
      type: number(0.01, 60),
      default: '2',
      environment: false,
      help: 'number of seconds for which each engine is measured',
    },
    checkpoint: {
      value: 'FOLDER',
      type: text,
      default: DEFAULT_CHECKPOINT,
      help: 'folder of the checkpoint whose net is measured; can also be set as VIVARIUM_CHECKPOINT',
    },
  },
  environment: SERVER.environment,
} as const;

async function main(options: Values<typeof COMMAND.options>): Promise<void> {
  const { json, seconds, checkpoint } = options;
  // Write progress to standard error, so that a pipe receives only the report.
  const report = await examine(checkpoint, seconds, console.error);
  console.log(json ? JSON.stringify(report, null, 2) : `\n${reportText(report)}`);
}

runCommand(COMMAND, main).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
