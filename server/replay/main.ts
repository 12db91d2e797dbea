/** Entry point of `npm run replay`. */
import { replayCommand } from './replay-command.ts';

process.exitCode = await replayCommand(process.argv.slice(2), console.log, console.error);
