/** Moving pictures of a room that lives: a wall on which nobody acts, and a wound that closes. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { png } from '../../server/replay/pictures.ts';
import { World } from '../../server/world/world.ts';
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { startEngine } from '../support/engine.ts';
import { LIVING_ROOM, LivingWall } from '../support/living-wall.ts';
import { nextPictures, openWall } from '../support/page.ts';
import { ANNA } from '../support/rooms.ts';

const FILM = { seconds: 150, every: 2, width: 560, stripWidth: 250, perSecond: 4, columns: 15 };
/** Ticks at which the wound is shown; the first is before the stroke. */
const CLOSING = [0, 1, 5, 9, 13, 17, 23, 31, 43, 61];
const SCALE = 5;

/**
 * A wall with twenty visitors' organisms on which nobody acts for 150 s: `life-strip.webp`, a picture
 * each two seconds, and `life.webp`, a film of every other one.
 */
export async function takeFilm(browser: Browser, clientFolder: string, out: string): Promise<void> {
  const living = await LivingWall.open(LIVING_ROOM, { clientFolder });
  try {
    await living.plant(20);
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
      .webp({ quality: 45, effort: 6, delay, loop: 0 })
      .toFile(film);
    console.log(film);
    await strip(pictures, FILM.stripWidth, FILM.columns).toFile(join(out, 'life-strip.webp'));
  } finally {
    await living.close();
  }
}

/** A creature that loses half of itself, and how that half closes from the rim: `closing.webp`. */
export async function takeClosing(out: string): Promise<void> {
  const { engine, species } = await startEngine();
  try {
    const world = new World(engine);
    const { side } = species;
    const room = world.open({
      ...{ name: 'closing', width: side, height: side, maxOrganisms: 1, seed: 1, species },
      life: { birth: 1, healing: 2, expressing: 2 },
    });
    const index = species.gallery.findIndex(({ name }) => name === 'Penguin');
    const seed = { from: 'gallery', index } as const;
    room.enqueue(1, { what: 'plant', by: ANNA, x: side / 2, y: side / 2, seed });
    do await world.tick([room]);
    while (room.organisms[0].phase !== 'asleep');
    const radius = side / 4;
    const points = [0.75 * side, 0, 0.75 * side, side];
    const pictures: Buffer[] = [];
    for (let tick = 0; tick <= CLOSING.at(-1)!; tick++) {
      if (tick === 1) room.enqueue(2, { what: 'damage', by: ANNA, points, radius });
      if (tick > 0) await world.tick([room]);
      if (CLOSING.includes(tick)) pictures.push(await png(copyOf(room.grid.planes), SCALE));
    }
    const file = join(out, 'closing.webp');
    await strip(pictures, SCALE * side, pictures.length).toFile(file);
    console.log(file);
  } finally {
    await engine.close();
  }
}

function copyOf({ width, height, rgba }: Planes): Planes {
  const copy = createPlanes(width, height);
  copy.rgba.set(rgba);
  return copy;
}

/** Pictures in rows. @param width of each */
function strip(pictures: readonly Buffer[], width: number, columns: number) {
  return sharp([...pictures], { join: { across: columns, shim: 2, background: '#3a3f44' } })
    .resize(columns * width)
    .webp({ quality: 70, effort: 6 });
}
