/** Pictures of the wall. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openWall } from '../../support/page.ts';
import type { WindowSize } from '../../support/screens.ts';
import { Visitor } from '../../support/visitor.ts';
import { contextOf, type Studio, settle, shoot, sideBySide } from './studio.ts';

const WALLS: readonly WindowSize[] = [
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
  { width: 1080, height: 1920 },
];

/** The wall in each of its states. A processor computes few pixels: large walls are taken small. */
export async function takeWall(studio: Studio): Promise<void> {
  const { host, url, server, out } = studio;
  const address = encodeURIComponent('http://192.168.1.20:8080/r/garden');
  const wall = `${url}/wall/garden?resolution=full&url=${address}`;
  const { id: job } = await host.call('timelapse', { kind: 'gif', seconds: 2 });
  const states: Readonly<Record<string, [string, (page: Page) => Promise<unknown>]>> = {
    room: ['', async () => {}],
    close: [
      '',
      async (page) => {
        await host.call('spotlight', { x: 118, y: 70 });
        await settle(page, 2_500);
      },
    ],
    film: ['', () => host.call('showFilm', { job, frame: 20, speed: 0 })],
    farewell: ['', () => host.call('farewell', { seconds: 600 })],
    arabic: ['&languages=ar', async () => {}],
    filling: ['&frame=fill', async () => {}],
    dim: ['', async () => server.rooms.setHours({ dim: true, closed: false })],
  };
  const people = await Promise.all(
    ['Ada', 'Bo', 'Chiyo', ''].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  while ((await host.call('state')).jobs.some(({ state }) => state === 'going')) await pause(200);
  for (const [name, [query, arrange]] of Object.entries(states)) {
    const pictures: Buffer[] = [];
    for (const viewport of WALLS) {
      const deviceScaleFactor = 960 / Math.max(viewport.width, viewport.height);
      const context = await contextOf(studio, { viewport, deviceScaleFactor });
      const page = await context.newPage();
      await openWall(page, `${wall}${query}`);
      await arrange(page);
      await settle(page, 4_500);
      pictures.push(await shoot(page));
      await host.call('showRoom');
      await host.call('stopFarewell').catch(() => {});
      server.rooms.setHours({ dim: false, closed: false });
      await context.close();
    }
    await sideBySide(pictures, join(out, `wall-${name}.webp`));
  }
  for (const one of people) one.leave();
}
