import { PNG } from 'pngjs';
import {
  drawSheet,
  SHEET_COLOURS,
  type Tile,
  tileOfImage,
  tilesOfStates,
} from '../../../../server/training/pictures/sheet.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';

const clearTile = (side: number): Tile => ({
  side,
  rgba: new Uint8ClampedArray(4 * side * side),
});

const pixel = ({ rgba, side }: Tile, x: number, y: number): number[] => {
  const at = 4 * (y * side + x);
  return [...rgba.subarray(at, at + 4)];
};

describe('tiles', () => {
  it('divide premultiplied colours by alpha', () => {
    const card = tinyCard({ channels: 4, latentSize: 4 });
    const states = new Float32Array(2 * 4 * 4);
    states.set([0.5, 0.25, 0, 0.5], 16);
    const [bare, tile] = tilesOfStates(card, states, 2);
    expect(pixel(bare, 0, 0)).toEqual([0, 0, 0, 0]);
    expect(pixel(tile, 0, 0)).toEqual([255, 128, 0, 128]);
  });

  it('show probabilities as white ink', () => {
    const readout = { kind: 'bernoulli', channel: 1 };
    const card = tinyCard({ channels: 2, latentSize: 2, readout, presence: { threshold: 0.5 } });
    const [tile] = tilesOfStates(card, Float32Array.from([1, 0, 1, 9, 1, -9, 0, 0]), 2);
    expect(pixel(tile, 0, 0)).toEqual([255, 255, 255, 128]);
    expect(pixel(tile, 1, 0)).toEqual([255, 255, 255, 255]);
    expect(pixel(tile, 0, 1)).toEqual([0, 0, 0, 0]);
  });

  it('show training images of every kind', () => {
    expect(pixel(tileOfImage(Uint8Array.from([0, 200]), 1, 1, 1), 0, 0)).toEqual([
      255, 255, 255, 200,
    ]);
    expect(pixel(tileOfImage(Uint8Array.from([1, 2, 3]), 1, 3, 0), 0, 0)).toEqual([1, 2, 3, 255]);
    expect(pixel(tileOfImage(Uint8Array.of(51, 0, 102, 102), 1, 4, 0), 0, 0)).toEqual([
      128, 0, 255, 102,
    ]);
  });
});

describe('a sheet', () => {
  const red = (side: number): Tile => ({
    side,
    rgba: Uint8ClampedArray.from({ length: side * side * 4 }, (_, i) => [255, 0, 0, 255][i % 4]),
  });
  const at = ({ data, width }: PNG, x: number, y: number): number[] => [
    ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3),
  ];

  it('has even margins, sharp cells and a background', async () => {
    const png = PNG.sync.read(
      await drawSheet([[red(2), red(2), clearTile(2)], [red(2)]], { scale: 3 }),
    );
    expect([png.width, png.height]).toEqual([3 * 6 + 2 * 8 + 32, 2 * 6 + 8 + 32]);
    expect(at(png, 0, 0)).toEqual(SHEET_COLOURS.ground);
    expect(at(png, 16, 16)).toEqual([255, 0, 0]);
    expect(at(png, 21, 21)).toEqual([255, 0, 0]);
    expect(at(png, 22, 21)).toEqual(SHEET_COLOURS.ground);
    expect(at(png, 44, 16)).toEqual(SHEET_COLOURS.field);
    expect(at(png, 30, 30)).toEqual(SHEET_COLOURS.ground);
  });

  it('has captions above unchanged tiles', async () => {
    const plain = PNG.sync.read(await drawSheet([[red(2), clearTile(2)]]));
    const png = PNG.sync.read(
      await drawSheet([[red(2), clearTile(2)]], { columns: ['10 %', 'whole'] }),
    );
    const header = 12 + 8;
    expect([png.width, png.height]).toEqual([plain.width, plain.height + header]);
    for (let y = 16; y < plain.height; y++) {
      for (let x = 0; x < plain.width; x++) {
        expect(at(png, x, y + header)).toEqual(at(plain, x, y));
      }
    }
  });
});
