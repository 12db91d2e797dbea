/**
 * `npm run screenshot:all`: every page, sheet and panel in every window, for people to look at. Each
 * state becomes two sheets of pictures: phones, and larger windows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureClient } from '../../server/http/client-build.ts';
import { readCommand, SettingsError } from '../../server/settings/command-line.ts';
import { helpText } from '../../server/settings/document.ts';
import { oneOf, text } from '../../server/settings/server-types.ts';
import { launchBrowser } from '../support/browser.ts';
import { HostClient } from '../support/host-client.ts';
import { startServer } from '../support/server.ts';
import { plantGarden, Visitor } from '../support/visitor.ts';
import {
  GARDEN,
  placeOf,
  takeArrival,
  takeHost,
  takeKeep,
  takeLineage,
  takeVisitor,
  takeWall,
} from './screenshot-pages.ts';

const COMMAND = {
  about: 'Takes pictures of every page, sheet and panel in every window.',
  usage: 'npm run screenshot:all [-- options]',
  options: {
    out: {
      value: 'FOLDER',
      type: text,
      default: 'pictures',
      help: 'folder to write the pictures to',
    },
    language: { value: 'NAME', type: text, default: 'en-GB', help: 'language of the browser' },
    only: {
      value: 'PAGE',
      type: oneOf(['visitor', 'arrival', 'wall', 'host', 'keep', 'lineage']),
      defaultInWords: 'all',
      help: 'visitor, arrival, wall, host, keep or lineage',
    },
  },
} as const;

/** Arrival comes last: it bans somebody, after which newcomers of this address get in slowly. */
const PAGES = {
  visitor: takeVisitor,
  wall: takeWall,
  host: takeHost,
  keep: takeKeep,
  lineage: takeLineage,
  arrival: takeArrival,
} as const;

async function main(): Promise<void> {
  const options = readCommand(COMMAND, process.argv.slice(2));
  if (options === 'help') {
    console.log(helpText(COMMAND));
    return;
  }
  const { out, language, only } = options;
  const clientFolder = await ensureClient(console.log);
  const data = mkdtempSync(join(tmpdir(), 'vivarium-pictures-'));
  const settings = { size: '240x136', energy: 'newcomer=100,refillPerSecond=1000', data };
  const server = await startServer({ ...settings, snapshot: 1 }, { clientFolder });
  const host = await HostClient.login(server.port, server.hostToken!);
  const gardener = await Visitor.join(server.port, 'garden', 'Ada');
  await plantGarden([gardener], GARDEN, placeOf);
  gardener.leave();
  await mkdir(out, { recursive: true });
  const browser = await launchBrowser([], {});
  const url = `http://127.0.0.1:${server.port}`;
  for (const [name, take] of Object.entries(PAGES)) {
    if (only === undefined || only === name)
      await take({ out, language, browser, server, host, url });
  }
  await browser.close();
  await server.close();
  rmSync(data, { recursive: true });
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(1);
});
