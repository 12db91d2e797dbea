/** The painters that ship: their size, their entries in the cards, and some creatures kept from training. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import {
  drawings,
  paintAlone,
  psnr,
  withoutDisc,
} from '../../../server/training/painter/measure.ts';
import { painterEntry } from '../../../server/training/painter/write.ts';
import { parseCard } from '../../../server/vnca/card.ts';
import { PAINTER_LIMIT, painterWork, parsePainter } from '../../../shared/painter/net.ts';
import { paintStill } from '../../../shared/painter/still.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const folders = readdirSync(at('checkpoints')).filter((name) =>
  existsSync(at(`checkpoints/${name}/painter.safetensors`)),
);
const read = (name: string) => readFileSync(at(`checkpoints/${name}/painter.safetensors`));

test.each(folders)('%s has a painter as its card says, small and cheap', (name) => {
  const file = read(name);
  expect(file.length).toBeLessThanOrEqual(PAINTER_LIMIT);
  const net = parsePainter(file);
  const json = JSON.parse(readFileSync(at(`checkpoints/${name}/card.json`), 'utf8'));
  const { painter } = parseCard(json, 'card.json');
  expect(painter).toEqual(painterEntry(net, painter?.figures ?? {}));
  const { cell, pixel } = painterWork(net);
  expect(cell + 64 * pixel).toBeLessThanOrEqual(30_000);
});

const SIDE = 32;
const net = parsePainter(read('organisms'));
/** Premultiplied RGBA as it is in the file. */
const picture = (name: string): Uint8Array =>
  new Uint8Array(
    PNG.sync.read(readFileSync(at(join('test/fixtures/painter', `${name}.png`)))).data,
  );

const creatures = ['owl', 'red-apple', 'elephant'].map((name) => {
  const [small, grown, large] = ['small', 'grown', 'large'].map((of) => picture(`${name}-${of}`));
  return { name, small, grown, large };
});

test('three creatures are painted better than enlarged, from pictures and from grown cells', () => {
  const gains = creatures.map(({ small, grown, large }) =>
    [small, grown].map((cells) => {
      const { painted, bicubic } = drawings(net, cells, SIDE);
      return psnr(painted, large) - psnr(bicubic, large);
    }),
  );
  const [ofSmall, ofGrown] = [0, 1].map(
    (i) => gains.reduce((sum, of) => sum + of[i], 0) / creatures.length,
  );
  expect(ofSmall).toBeGreaterThan(1.5);
  expect(ofGrown).toBeGreaterThan(0);
});

/** Premultiplied cells as a still. */
function stillOf(left: Uint8Array): Uint8ClampedArray {
  const cells = left.map((value, i) => (i % 4 === 3 ? value : (255 * value) / (left[i | 3] || 1)));
  const work = paintStill({ cells, side: SIDE, net, scale: 8 });
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

describe.each(creatures)('$name', ({ grown }) => {
  const left = withoutDisc(grown, SIDE);
  it.each([
    ['on a wall', () => paintAlone(net, left, SIDE)],
    ['in a still', () => stillOf(left)],
  ])('stays wounded where it is wounded, %s', (_, draw) => {
    const painted = draw();
    const isErased = (x: number, y: number): boolean => {
      const i = 4 * (y * SIDE + x) + 3;
      return grown[i] > 0 && left[i] === 0;
    };
    const [rim, inner] = [[], []] as [number[], number[]];
    for (let y = 1; y < SIDE - 1; y++) {
      for (let x = 1; x < SIDE - 1; x++) {
        if (!isErased(x, y)) continue;
        const around = [-1, 0, 1].every((j) => [-1, 0, 1].every((i) => isErased(x + i, y + j)));
        for (let k = 0; k < 64; k++) {
          const [u, v] = [8 * x + (k % 8), 8 * y + (k >> 3)];
          (around ? inner : rim).push(painted[4 * (8 * SIDE * v + u) + 3] / 255);
        }
      }
    }
    const mean = (of: number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
    expect(inner.length).toBeGreaterThan(640);
    expect(mean(inner)).toBeLessThan(0.01);
    expect(mean(rim)).toBeLessThan(0.3);
  });
});
