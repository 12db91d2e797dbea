/** Moving pictures of a room that lives: a wall on which nobody acts. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { LivingWall } from '../support/living-wall.ts';
import { nextPictures, openWall } from '../support/page.ts';

const FILM = {
  composing: 240,
  seconds: 150,
  every: 2,
  width: 560,
  stripWidth: 220,
  perSecond: 4,
  columns: 15,
};
/**
 * A wall with a garden that the gardener has composed, on which nobody acts for 150 s: `life-strip.webp`, a picture
 * each two seconds, and `life.webp`, a film of every other one.
 */
export async function takeFilm(browser: Browser, clientFolder: string, out: string): Promise<void> {
  const living = await LivingWall.open({ attract: 5 }, { clientFolder });
  try {
    await living.watch(FILM.composing);
    // Its words can be read in the film too.
    const viewport = { width: 1280, height: 720 };
    const deviceScaleFactor = FILM.width / viewport.width;
    const page = await browser.newPage({ viewport, deviceScaleFactor });
    const origin = `http://127.0.0.1:${living.server.port}`;
    const scanned = encodeURIComponent(`${origin}/r/garden`);
    const options = `frame=fixed&resolution=full&url=${scanned}`;
    await living.during(openWall(page, `${origin}/wall/garden?${options}`));
    const pictures: Buffer[] = [];
    const { places, events } = await living.watch(FILM.seconds, async (passed) => {
      if (passed % FILM.every !== 0) return;
      // What has changed is shown in a while.
      await page.waitForTimeout(300);
      await nextPictures(page, 1);
      pictures.push(await page.screenshot({ timeout: 180_000 }));
    });
    console.log(`least places in five seconds: ${Math.min(...places)}`, events);
    const shown = pictures.filter((_, i) => i % 2 === 0);
    const delay = shown.map(() => 1000 / FILM.perSecond);
    const film = join(out, 'life.webp');
    await sharp(shown, { join: { animated: true } })
      .webp({ quality: 34, effort: 6, delay, loop: 0 })
      .toFile(film);
    console.log(film);
    await strip(pictures, FILM.stripWidth, FILM.columns).toFile(join(out, 'life-strip.webp'));
  } finally {
    await living.close();
  }
}

/** Pictures in rows. @param width of each */
function strip(pictures: readonly Buffer[], width: number, columns: number) {
  return sharp([...pictures], { join: { across: columns, shim: 2, background: '#3a3f44' } })
    .resize(columns * width)
    .webp({ quality: 70, effort: 6 });
}
