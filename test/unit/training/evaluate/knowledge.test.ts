/** The probe and the map, where the answer is known. */
import { PNG } from 'pngjs';
import { probeCells } from '../../../../server/training/evaluate/cell-probe.ts';
import { precisionAndRecall } from '../../../../server/training/evaluate/images.ts';
import { areRetrieved } from '../../../../server/training/evaluate/organisms.ts';
import { drawMap, mapLatents } from '../../../../server/training/evaluate/write.ts';
import type { Tile } from '../../../../server/training/pictures/sheet.ts';
import { createRandom } from '../../../../shared/random.ts';

describe('the probe', () => {
  const ORGANISMS = 40;
  const CELLS = 50;
  const C = 4;

  /** Cells of noise, where each class has a direction of its own, and maybe each organism too. */
  function cells(ofClass: number, ofOrganism: number) {
    const random = createRandom(1);
    const labels = Array.from({ length: ORGANISMS }, () => random.integer(3));
    const own = Array.from({ length: ORGANISMS }, () => random.latent(C));
    const states = new Float32Array(ORGANISMS * CELLS * C);
    for (let i = 0; i < states.length; i++) {
      const organism = Math.floor(i / C / CELLS);
      const c = i % C;
      const mean = labels[organism] === c ? ofClass : 0;
      states[i] = mean + ofOrganism * own[organism][c] + random.normal();
    }
    return { states, channels: C, labels };
  }

  it('decodes a class that every cell encodes', () => {
    const probe = probeCells(cells(8, 0), createRandom(2))!;
    expect(probe.byCell).toBeGreaterThan(0.98);
    expect(probe.byOrganism).toBeGreaterThan(0.98);
    expect(probe).toMatchObject({ classes: 3, organisms: ORGANISMS });
  });

  it('guesses when cells encode nothing', () => {
    const probe = probeCells(cells(0, 0), createRandom(2))!;
    expect(probe.byCell).toBeLessThan(probe.guess + 0.1);
  });

  it('decodes trained organisms better than new ones', () => {
    const probe = probeCells(cells(0, 3), createRandom(2))!;
    expect(probe.byCell).toBeGreaterThan(probe.byOrganism + 0.1);
  });

  it('needs two classes', () => {
    const { states, channels } = cells(1, 0);
    const labels = new Array(ORGANISMS).fill(1);
    expect(probeCells({ states, channels, labels }, createRandom(1))).toBeNull();
  });
});

describe('the map', () => {
  const latents = (): Float32Array => {
    const random = createRandom(3);
    return Float32Array.from({ length: 30 * 5 }, (_, i) => random.normal() + (i < 75 ? 0 : 20));
  };

  it('puts similar latents together, within 0…1, and equal for equal seeds', () => {
    const places = mapLatents(latents(), 30, createRandom(1))!;
    expect(places).toEqual(mapLatents(latents(), 30, createRandom(1)));
    const centre = (of: typeof places) => ({
      x: of.reduce((sum, { x }) => sum + x, 0) / of.length,
      y: of.reduce((sum, { y }) => sum + y, 0) / of.length,
    });
    const [a, b] = [centre(places.slice(0, 15)), centre(places.slice(15))];
    const apart = Math.hypot(a.x - b.x, a.y - b.y);
    const wide = Math.max(...places.slice(0, 15).map(({ x, y }) => Math.hypot(x - a.x, y - a.y)));
    expect(apart).toBeGreaterThan(wide);
    for (const { x, y } of places) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(x, y)).toBeLessThanOrEqual(1);
    }
  });

  it('needs five latents', () => {
    expect(mapLatents(new Float32Array(8), 4, createRandom(1))).toBeNull();
  });

  it('is drawn with a margin for any shape', () => {
    const places = [
      { x: 0, y: 0 },
      { x: 1, y: 0.5 },
    ];
    const clear: Tile = { side: 8, rgba: new Uint8ClampedArray(4 * 8 * 8) };
    const png = PNG.sync.read(drawMap([clear, clear], places, 200));
    expect([png.width, png.height]).toEqual([200, 120]);
  });
});

describe('precision and recall', () => {
  const some = createRandom(1).latent(40 * 5);

  it('of a set against itself are whole', () => {
    expect(precisionAndRecall(some, some, 5)).toEqual({ precision: 1, recall: 1 });
  });

  it('of sets that lie far apart are nothing', () => {
    expect(
      precisionAndRecall(
        some,
        some.map((x) => x + 100),
        5,
      ),
    ).toEqual({
      precision: 0,
      recall: 0,
    });
  });

  it('tell good pictures that are all alike from varied ones', () => {
    const alike = Float32Array.from({ length: 40 * 5 }, (_, i) => some[i % 5] + 1e-3 * some[i]);
    const { precision, recall } = precisionAndRecall(some, alike, 5);
    expect(precision).toBe(1);
    expect(recall).toBeLessThan(0.1);
  });
});

test('an organism is retrieved if no other image is nearer than its own', () => {
  const images = Float32Array.of(0, 0, 1, 1, 0, 1);
  const pictures = Float32Array.of(0.1, 0.2, 0.4, 0.1);
  expect(areRetrieved(pictures, [0, 1], images, 3)).toEqual([true, false]);
});
