/** Creatures on a printed sign. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { drawCreature, paintCreatures } from '../../../server/host/printed-sign.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { parsePainter } from '../../../shared/painter/net.ts';
import { LARGEST_SCALE } from '../../../shared/painter/still.ts';

const file = (path: string): Buffer => readFileSync(new URL(`../../../${path}`, import.meta.url));
const painter = parsePainter(file('checkpoints/organisms/painter.safetensors'));
const { data, info } = await sharp(file('test/fixtures/painter/owl-grown.png'))
  .ensureAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true });
const owl = { side: info.width, rgba: new Uint8Array(data) };

test('with a painter they are pictures, large enough for paper, of the same creature', async () => {
  const [painted] = await paintCreatures([owl], { painter }, systemClock);
  const [, base64] = drawCreature(painted).match(/href="data:image\/jpeg;base64,([^"]+)"/)!;
  const picture = sharp(Buffer.from(base64, 'base64'));
  const { width } = await picture.metadata();
  expect(width).toBe(owl.side * LARGEST_SCALE);
  const small = await picture.resize(owl.side).raw().toBuffer();
  const onWhite = await sharp(owl.rgba, { raw: { width: owl.side, height: owl.side, channels: 4 } })
    .flatten({ background: 'white' })
    .raw()
    .toBuffer();
  const difference = small.reduce((sum, value, i) => sum + Math.abs(value - onWhite[i]), 0);
  expect(difference / small.length).toBeLessThan(12);
});

test('without one, each cell is a dot', async () => {
  const creatures = await paintCreatures([owl], {}, systemClock);
  expect(drawCreature(creatures[0])).toMatch(/^<g .*h0/);
});
