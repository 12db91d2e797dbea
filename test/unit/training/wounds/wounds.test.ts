import {
  applyWound,
  WOUND_KINDS,
  woundMask,
  woundOfShare,
} from '../../../../server/training/rollout/wounds.ts';
import { createRandom } from '../../../../shared/random.ts';

const SIDE = 32;
const OF_SHARE = ['disc', 'half', 'bar', 'stroke'] as const;
const wounded = (mask: Uint8Array): number => mask.reduce((count, kept) => count + 1 - kept, 0);

/** Pieces of a wound, cells touching by edge or corner. */
function pieces(mask: Uint8Array, side: number): number {
  const left = new Set([...mask.keys()].filter((cell) => mask[cell] === 0));
  let count = 0;
  for (const start of left) {
    count++;
    const stack = [start];
    left.delete(start);
    while (stack.length > 0) {
      const cell = stack.pop()!;
      const [x, y] = [cell % side, Math.floor(cell / side)];
      for (let v = y - 1; v <= y + 1; v++) {
        for (let u = x - 1; u <= x + 1; u++) {
          const next = v * side + u;
          if (u >= 0 && u < side && left.delete(next)) stack.push(next);
        }
      }
    }
  }
  return count;
}

describe('a random wound', () => {
  test.each(WOUND_KINDS)('%s is within its size, in one piece', (kind) => {
    const random = createRandom(3);
    const sizes = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const mask = woundMask(random, SIDE, kind, 0.4);
      expect(mask).toHaveLength(SIDE * SIDE);
      const cells = wounded(mask);
      sizes.add(cells);
      expect(cells).toBeGreaterThanOrEqual(Math.floor(0.02 * SIDE * SIDE));
      expect(cells).toBeLessThanOrEqual(0.4 * SIDE * SIDE);
      expect(pieces(mask, SIDE)).toBe(1);
    }
    if (kind === 'half') expect([...sizes]).toEqual([Math.floor(0.4 * SIDE * SIDE)]);
    else if (kind === 'square') expect([...sizes]).toEqual([256]);
    else expect(sizes.size).toBeGreaterThan(50);
  });

  it('takes exactly half, cut straight', () => {
    const random = createRandom(1);
    for (let i = 0; i < 50; i++) {
      const mask = woundMask(random, 28, 'half', 0.5);
      expect(wounded(mask)).toBe(392);
      // Opposite cells are on opposite sides, but for the cut itself.
      const alike = mask.filter((kept, cell) => kept === mask[mask.length - 1 - cell]);
      expect(alike.length).toBeLessThan(30);
    }
  });

  test.each([
    [28, 14],
    [32, 16],
  ])('of side %i has the published square, everywhere that fits', (side, size) => {
    const random = createRandom(2);
    const places = new Set<number>();
    for (let i = 0; i < 500; i++) {
      const mask = woundMask(random, side, 'square');
      expect(wounded(mask)).toBe(size * size);
      const first = mask.indexOf(0);
      places.add(first % side);
      for (let y = 0; y < size; y++) {
        const from = first + y * side;
        expect(mask.subarray(from, from + size).every((kept) => kept === 0)).toBe(true);
      }
    }
    expect(Math.min(...places)).toBe(0);
    expect(Math.max(...places)).toBe(side - size);
  });

  it('refuses shares beyond 0…1', () => {
    expect(() => woundMask(createRandom(1), SIDE, 'disc', 1.1)).toThrow(RangeError);
    expect(() => woundOfShare(createRandom(1), SIDE, Number.NaN)).toThrow(RangeError);
  });
});

test.each(OF_SHARE)('a wound of a share (%s) is exact and one piece', (kind) => {
  const random = createRandom(4);
  for (const share of [0, 0.1, 0.25, 0.5, 0.77, 1]) {
    for (let i = 0; i < 20; i++) {
      const mask = woundOfShare(random, SIDE, share, [kind]);
      expect(wounded(mask)).toBe(Math.round(share * SIDE * SIDE));
      expect(pieces(mask, SIDE)).toBe(share === 0 ? 0 : 1);
    }
  }
});
describe('applying a wound', () => {
  it('zeroes all channels of the cells, and no others', () => {
    const states = new Float32Array(12).fill(2);
    applyWound(states, Uint8Array.from([1, 0, 0, 1]), 3);
    expect([...states]).toEqual([2, 2, 2, 0, 0, 0, 0, 0, 0, 2, 2, 2]);
  });

  it('refuses a mask of another patch', () => {
    expect(() => applyWound(new Float32Array(12), new Uint8Array(5), 3)).toThrow('5 cells of 3');
  });
});
