/** Creatures on a printed sign. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { paintCreature } from '../../../server/host/printed-sign.ts';
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

test.each([
  ['painted', painter],
  ['enlarged, without a painter,', undefined],
])('they are %s, large enough for paper, and the same creature', async (_, net) => {
  const picture = sharp(await paintCreature(owl, net, systemClock));
  const { width, format } = await picture.metadata();
  expect([format, width]).toEqual(['jpeg', owl.side * LARGEST_SCALE]);
  const small = await picture.resize(owl.side).raw().toBuffer();
  const onWhite = await sharp(owl.rgba, { raw: { width: owl.side, height: owl.side, channels: 4 } })
    .flatten({ background: 'white' })
    .raw()
    .toBuffer();
  const difference = small.reduce((sum, value, i) => sum + Math.abs(value - onWhite[i]), 0);
  expect(difference / small.length).toBeLessThan(12);
});
