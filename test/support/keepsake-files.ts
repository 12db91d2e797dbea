/** The picture and the film of a keepsake, as they are saved. */
import sharp from 'sharp';

/** Expects a portrait, as PNG, on which there is something to see. */
export async function expectPicture(png: Buffer): Promise<void> {
  const image = sharp(png);
  expect(await image.metadata()).toMatchObject({ format: 'png', width: 1080, height: 1350 });
  const { entropy } = await image.stats();
  expect(entropy).toBeGreaterThan(3);
}

/** Expects a film, as GIF, that repeats, and shows a creature and a name from the first picture. */
export async function expectFilm(gif: Buffer): Promise<void> {
  const { format, pages = 0, loop, delay = [] } = await sharp(gif, { animated: true }).metadata();
  expect([format, loop]).toEqual(['gif', 0]);
  expect(pages).toBeGreaterThan(8);
  expect(delay.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(6_000);
  const lightest = async (index: number, top: number, height: number): Promise<number> => {
    const part = { left: 60, top, width: 240, height };
    const { channels } = await sharp(gif, { page: index }).extract(part).stats();
    return Math.max(...channels.slice(0, 3).map(({ max }) => max));
  };
  const parts = [0, pages - 1].flatMap((index) => [
    lightest(index, 40, 240),
    lightest(index, 310, 40),
  ]);
  for (const light of await Promise.all(parts)) expect(light).toBeGreaterThan(150);
}
