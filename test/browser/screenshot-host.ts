/**
 * `tsx test/browser/screenshot-host.ts`: pictures of the host's page as it looks over a real room with visitors in it. `--all`:
 * of every section, on a desktop, a tablet and a phone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { SECTIONS } from '../../client/host/sections.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { readCommand, SettingsError } from '../../server/settings/command.ts';
import { helpText } from '../../server/settings/document.ts';
import { text } from '../../server/settings/server-types.ts';
import { launchBrowser } from '../support/browser.ts';
import { goTo, HostClient, liveScreenOf, liveShows, signIn } from '../support/host-client.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { plantGarden, Visitor } from '../support/visitor.ts';

const PICTURES = fileURLToPath(new URL('pictures', import.meta.url));

const SCREENS = {
  desktop: { viewport: { width: 1440, height: 900 } },
  tablet: { viewport: { width: 820, height: 1180 }, hasTouch: true },
  phone: { ...PHONE, deviceScaleFactor: 2 },
} as const;

const GARDEN = ['Penguin', 'Octopus', 'Tropical Fish', 'Fox Face', 'Turtle', 'Butterfly', 'Crab'];
const MORE = ['Frog Face', 'Panda Face', 'Flamingo', 'Cactus', 'Sunflower', 'Mushroom', 'Whale'];
const NAMES = ['Ada', 'Bo', '', 'Chiyo', 'Dag'];
const COLUMNS = 5;

const COMMAND = {
  usage: 'tsx test/browser/screenshot-host.ts [options]',
  options: {
    out: { value: 'FOLDER', type: text, default: PICTURES, help: 'where to write the pictures' },
    all: { help: 'every section, on a desktop, a tablet and a phone' },
    language: { value: 'NAME', type: text, default: 'en', help: 'language of the browser' },
  },
} as const;

async function garden(port: number): Promise<Visitor[]> {
  const visitors = await Promise.all(NAMES.map((name) => Visitor.join(port, 'garden', name)));
  const creatures = [...GARDEN, ...MORE];
  const row = (i: number): number => Math.floor(i / COLUMNS);
  await plantGarden(visitors, creatures, (i) => [24 + (i % COLUMNS) * 40, 24 + row(i) * 44]);
  return visitors;
}

/** A calm moment: pictures have come and nothing moves any more. */
const settle = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_200)));

async function pick(page: Page): Promise<void> {
  const { x, y } = await liveScreenOf(page, 24 + 3 * 40, 24);
  await page.mouse.click(x, y);
  await page.getByTestId('organism').waitFor();
}

async function main(): Promise<void> {
  const values = readCommand(COMMAND, process.argv.slice(2));
  if (values === 'help') {
    console.log(helpText(COMMAND));
    return;
  }
  const data = mkdtempSync(join(tmpdir(), 'vivarium-host-pictures-'));
  const clientFolder = await ensureClient(console.log);
  const settings = {
    size: '208x136',
    energy: 'newcomer=100,refillPerSecond=1000',
    data,
    snapshot: 1,
  };
  const server = await startServer(settings, { clientFolder });
  const token = server.hostToken!;
  const visitors = await garden(server.port);
  const host = await HostClient.login(server.port, token);
  await host.call('createRoom', {
    name: 'workshop',
    width: 160,
    height: 96,
    checkpoint: (await host.call('state')).checkpoints[0]!.name,
  });
  await host.call('takeSnapshot', { name: 'Evening of the opening' }, { room: 'garden' });

  await mkdir(values.out, { recursive: true });
  const browser = await launchBrowser();
  for (const [screen, options] of Object.entries(SCREENS)) {
    if (!values.all && screen === 'tablet') continue;
    const context = await browser.newContext({ ...options, locale: values.language });
    const page = await context.newPage();
    const shoot = async (name: string): Promise<void> => {
      await settle(page);
      const picture = await page.screenshot({ timeout: 180_000 });
      // Few colours are enough for dark panels, and a repository is no picture store.
      await sharp(picture)
        .png({ palette: true, quality: 90 })
        .toFile(join(values.out, `${name}.png`));
      console.log(join(values.out, `${name}.png`));
    };
    await signIn(page, server.port, token);
    await liveShows(page, GARDEN.length + MORE.length);
    if (screen === 'desktop') await pick(page);
    await shoot({ desktop: 'host', tablet: 'host-tablet', phone: 'host-phone' }[screen] ?? screen);
    for (const { id } of values.all ? SECTIONS : []) {
      await goTo(page, id);
      await shoot(`host-${id}-${screen}`);
    }
    await context.close();
  }
  await browser.close();
  for (const visitor of visitors) visitor.leave();
  await server.close();
  rmSync(data, { recursive: true });
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(1);
});
