/** Implements `npm run keep-page`: writes the keepsake page as one HTML file for any web server. */

import { writeFile } from 'node:fs/promises';
import { commandLine } from '../platform/installation.ts';
import { runCommand } from '../settings/document.ts';
import { DEFAULT_CHECKPOINT } from '../settings/server.ts';
import { folders, origin, orWord, text } from '../settings/server-types.ts';
import { loadCheckpoint } from '../vnca/checkpoint.ts';
import { pageModels, singlePage } from './keep-page.ts';
import { ensureClient } from './serve-client.ts';

const COMMAND = {
  about:
    'Writes the page on which visitors watch the organisms of their keepsakes (souvenirs) grow, as one HTML file that works without a server.',
  usage: commandLine('keep-page', '[options]'),
  options: {
    to: {
      value: 'FILE',
      type: text,
      default: 'keep.html',
      help: 'file to write; after you publish the file, give its address to the server with --keep-url',
    },
    checkpoints: {
      value: 'A,B',
      type: folders,
      default: DEFAULT_CHECKPOINT,
      help: 'folders of the checkpoints whose organisms the page can grow; each checkpoint adds about 1.4 MB to the file',
    },
    server: {
      value: 'URL',
      type: orWord('none', undefined, origin),
      default: 'none',
      help: 'server on which visitors of the page can plant the seed again, like https://play.museum.example',
    },
  },
} as const;

await runCommand(COMMAND, async ({ to, checkpoints, server }) => {
  const clientFolder = await ensureClient((line) => process.stdout.write(`${line}\n`));
  const installed = await Promise.all(checkpoints.map((folder) => loadCheckpoint(folder)));
  const models = pageModels(installed);
  const page = await singlePage(clientFolder, models, server);
  await writeFile(to, page);
  process.stdout.write(`${to}: ${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB\n`);
}).catch((error: unknown) => {
  const { message, stack } = error as Error;
  const isKnown = error instanceof Error && ('reason' in error || 'code' in error);
  console.error(`keep-page: ${isKnown ? message : (stack ?? error)}`);
  process.exitCode = 1;
});
