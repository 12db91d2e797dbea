/** Moving pictures of a room that lives: a wall on which nobody acts, and a wound that closes. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import type { PatchId, Readout } from '../../server/engine/engine.ts';
import { png } from '../../server/replay/run-replay.ts';
import { straight } from '../../server/training/pictures/sheet.ts';
import { galleryLatent } from '../../server/vnca/checkpoint.ts';
import type { Genomes } from '../../server/vnca/chimera.ts';
import { stepsUntilOpen } from '../../server/world/closing.ts';
import { World } from '../../server/world/world.ts';
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { parsePainter } from '../../shared/painter/net.ts';
import { paintStill } from '../../shared/painter/still.ts';
import { startEngine } from '../support/engine.ts';
import { LivingWall } from '../support/living-wall.ts';
import { nextPictures, openWall } from '../support/page.ts';
import { ANNA } from '../support/rooms.ts';

const FILM = {
  composing: 240,
  seconds: 150,
  every: 2,
  width: 560,
  stripWidth: 220,
  perSecond: 4,
  columns: 15,
};
/** Ticks at which the wound is shown; the first is before the stroke. */
const CLOSING = [0, 1, 5, 9, 13, 17, 23, 31, 43, 61];
const SCALE = 5;

/** A creature, another one, and where the first one's cells read the genome of the other. */
type Graft = readonly [own: string, other: string, isOther: (x: number, y: number) => boolean];
const disc = (cx: number, cy: number, radius: number) => (x: number, y: number) =>
  Math.hypot(x - cx, y - cy) < radius;
const [leftEar, rightEar] = [disc(8, 6, 6), disc(24, 6, 6)];
const GRAFTS: readonly Graft[] = [
  ['Panda Face', 'Fox Face', (x, y) => leftEar(x, y) || rightEar(x, y)],
  ['Octopus', 'Mushroom', (_, y) => y < 16],
  ['Penguin', 'Steaming Bowl', (_, y) => y > 17],
  ['Snail', 'Sunflower', disc(19, 13, 8)],
  ['Flamingo', 'Cactus', (_, y) => y > 15],
];

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

/**
 * Chimeras, a row each: a creature, another one, the first with a part of the other, the same with
 * half of it lost, healed, and grown from a seed; last, half of each: `chimeras.webp`.
 */
export async function takeChimeras(out: string): Promise<void> {
  const { engine, checkpoint, species } = await startEngine();
  try {
    const { side, gallery } = species;
    const net = parsePainter(checkpoint.painter!);
    const labelled = (isOther: Graft[2]) =>
      Uint8Array.from({ length: side ** 2 }, (_, i) => +isOther(i % side, Math.floor(i / side)));
    const rows = GRAFTS.map(([...names], row) => {
      const latents = names.slice(0, 2).map((name) => {
        return galleryLatent(
          checkpoint,
          gallery.findIndex((entry) => entry.name === name),
        );
      });
      const part: Genomes = { latents, labels: labelled(names[2]) };
      const halves: Genomes = { latents, labels: labelled((x) => x >= side / 2) };
      const [own, other, grafted, seed, half] = [0, 1, 2, 3, 4].map((i) => 5 * row + i + 1);
      return { latents, part, halves, own, other, grafted, seed, half };
    });
    await engine.plant(
      rows.flatMap(({ latents, part, halves, own, other, grafted, seed, half }) =>
        [
          { patch: own, latent: latents[0] },
          { patch: other, latent: latents[1] },
          { patch: grafted, latent: latents[0] },
          { patch: seed, latent: latents[0], genomes: part },
          { patch: half, latent: latents[0], genomes: halves },
        ].map((one) => ({ checkpoint: checkpoint.card.name, ...one })),
      ),
    );
    const shown = new Map<PatchId, Readout>();
    const all = rows.flatMap((_, row) => [1, 2, 3, 4, 5].map((i) => 5 * row + i));
    const step = async (
      patches: readonly PatchId[],
      how: (patch: PatchId) => object = () => ({}),
    ) => {
      const steps = patches.map((patch) => ({ patch, divide: false, ...how(patch) }));
      for (const readout of await engine.step(steps)) shown.set(readout.patch, readout);
    };
    for (const { divide } of species.schedule) await step(all, () => ({ divide }));
    for (let i = 0; i < 64; i++) {
      const express = new Map(rows.map(({ grafted, part }) => [grafted, part]));
      await step(all, (patch) => (i === 0 ? { express: express.get(patch) } : {}));
    }
    const look = (patch: PatchId) => shown.get(patch)!;
    const pictures = rows.map((row) => [row.own, row.other, row.grafted].map(look));
    const closed = new Map(
      rows.map(({ grafted }) => {
        const isLost = labelled((x, y) => x + y > side);
        const lives = look(grafted).presence.map((value, i) =>
          value >= species.threshold ? 1 - isLost[i] : 0,
        );
        return [grafted, stepsUntilOpen({ isClosed: isLost, lives, width: side, reach: 1 })];
      }),
    );
    for (let i = 0; i < 64; i++) {
      const close = (patch: PatchId) => closed.get(patch)!.map((left) => Math.max(0, left - i));
      await step([...closed.keys()], (patch) => ({ closed: close(patch) }));
      if (i > 0) continue;
      rows.forEach(({ grafted }, row) => {
        pictures[row].push(look(grafted));
      });
    }
    rows.forEach(({ grafted, seed, half }, row) => {
      pictures[row].push(...[grafted, seed, half].map(look));
    });
    const painted = pictures.flat().map(({ rgba, presence }) => {
      // As in a room, where only living cells own their places.
      const living = rgba.map((value, i) => (presence[i >> 2] >= species.threshold ? value : 0));
      const still = paintStill({ cells: straight(living), side, net, scale: SCALE });
      let at = still.next();
      while (!at.done) at = still.next();
      const size = SCALE * side;
      const picture = sharp(at.value, { raw: { width: size, height: size, channels: 4 } });
      return picture.flatten({ background: '#0e1114' }).png().toBuffer();
    });
    const file = join(out, 'chimeras.webp');
    await strip(await Promise.all(painted), SCALE * side, pictures[0].length).toFile(file);
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
