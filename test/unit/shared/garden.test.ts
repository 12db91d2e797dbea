/** Sizes of the stream of the standard garden. */

import { createPlanes } from '../../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../../shared/codec/frame-decoder.ts';
import type { TierName } from '../../../shared/codec/tiers.ts';
import { equalPlanes } from '../../support/compare.ts';
import { GardenStream } from '../../support/garden-stream.ts';
import { GARDEN } from '../../support/standard-garden.ts';

/** Plays the whole stream. @returns bytes of the first and of the exact picture, and rates */
function play(tier: TierName) {
  const stream = new GardenStream(tier);
  const { encoder: cast } = stream;
  const decoder = new FrameDecoder(createPlanes(GARDEN.side, GARDEN.side));
  const take = (frame: Uint8Array): number => {
    expect(decoder.decode(frame).lost).toEqual([]);
    return frame.length;
  };
  const first = take(stream.whole((chunk) => cast.coarseKey(chunk)));
  const exact = first + take(stream.whole((chunk) => cast.refinement(chunk)));
  expect(equalPlanes(decoder.planes, stream.planes)).toBe(true);
  const ticks = Array.from({ length: stream.ticks }, () => {
    const { frame } = stream.next();
    return frame ? take(frame) : 0;
  });
  const seconds = ticks
    .map((_, i) => ticks.slice(i, i + GARDEN.tickRate).reduce((a, b) => a + b, 0))
    .slice(0, stream.ticks - GARDEN.tickRate)
    .sort((a, b) => a - b);
  const total = ticks.reduce((a, b) => a + b, 0);
  const raw = GARDEN.side ** 2 * 4 * stream.ticks;
  const quantile = (q: number) => seconds[Math.floor(q * seconds.length)];
  return { first, exact, timesSmaller: raw / total, median: quantile(0.5), p99: quantile(0.99) };
}

test('at full quality it is 80 times smaller than raw RGBA, and a first picture takes 60 kB at most', () => {
  const { first, exact, timesSmaller } = play('full');
  expect(timesSmaller).toBeGreaterThan(80);
  expect(first).toBeLessThan(60_000);
  expect(exact).toBeLessThan(100_000);
});

test('a phone takes 40 kB a second in the median, and 125 kB in the busiest', () => {
  const { median, p99 } = play('phone');
  expect(median).toBeLessThan(40_000);
  expect(p99).toBeLessThan(125_000);
});

test('the lowest tier takes 15 kB a second', () => {
  expect(play('thrifty').median).toBeLessThan(15_000);
});
