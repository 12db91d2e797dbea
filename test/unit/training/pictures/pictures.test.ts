import {
  type Tile,
  tileOfImage,
  tilesOfStates,
} from '../../../../server/training/pictures/sheet.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';

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
