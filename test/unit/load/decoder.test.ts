/** A hundred clients that share a decoder see what each would see with one of its own. */

import { createPlanes } from '../../../shared/codec/chunks.ts';
import { writeFrame } from '../../../shared/codec/frame.ts';
import { createRandom } from '../../../shared/random.ts';
import { createDecoder, SharedDecoder } from '../../load/decoder.ts';
import { GardenStream } from '../../support/garden-stream.ts';
import { equalPlanes } from '../../support/planes.ts';
import { GARDEN } from '../../support/standard-garden.ts';
import { scribble, WatchedStream } from '../../support/watched-stream.ts';

const SIZE = { width: GARDEN.side, height: GARDEN.side };
const FRAMES = 60;

/** A first picture, and what follows. */
function framesOfGarden(): Uint8Array[] {
  const stream = new GardenStream('phone');
  const frames = [stream.whole((chunk) => stream.encoder.key(chunk))];
  while (frames.length < FRAMES) {
    const { frame } = stream.next();
    if (frame) frames.push(frame);
  }
  return frames;
}

test('each client sees what it would see alone, whatever it misses and however late it joins', () => {
  const frames = framesOfGarden();
  const random = createRandom(4);
  const decoder = new SharedDecoder();
  const all = Array.from({ length: 12 }, (_, i) => ({
    shared: decoder.open(SIZE),
    alone: createDecoder(createPlanes(SIZE.width, SIZE.height)),
    next: 0,
    // The last ones miss frames now and then, or are sent broken ones.
    misses: i >= 9 ? 0.06 : 0,
    breaks: i >= 11 ? 0.06 : 0,
  }));
  let [lost, taken] = [0, 0];
  while (all.some(({ next }) => next < FRAMES)) {
    const fastest = Math.max(...all.map(({ next }) => next));
    const one = all[random.integer(all.length)];
    // No client is more than a few frames ahead of another.
    const slowest = Math.min(...all.map(({ next }) => next));
    if (one.next >= FRAMES || (one.next === fastest && fastest > slowest + 5)) continue;
    let frame = frames[one.next++];
    if (one.next > 1 && random.uniform() < one.misses) continue;
    if (random.uniform() < one.breaks) {
      frame = frame.slice();
      frame[frame.length - 1] ^= 0x55;
    }
    const [ours, own] = [one.shared.take(frame), one.alone.take(frame)];
    expect(ours).toEqual(own);
    lost += ours.lost.length;
    taken++;
  }
  expect(lost).toBeGreaterThan(0);
  expect(taken).toBeGreaterThan(11 * FRAMES);
  for (const { shared, alone } of all) {
    expect(equalPlanes(shared.planes, alone.planes)).toBe(true);
  }
});

test('a client that was long behind keeps what it was shown, as a page does', () => {
  const stream = new GardenStream('phone');
  const { encoder } = stream;
  const decoder = new SharedDecoder();
  const first = stream.whole((chunk) => encoder.key(chunk));
  const [ahead, behind, other] = [0, 1, 2].map(() => decoder.open(SIZE));
  const all = [ahead, behind, other];
  for (const one of all) one.take(first);
  for (let i = 0; i < 12; i++) {
    const { frame } = stream.next();
    for (const one of all) if (frame) expect(one.take(frame).lost).toEqual([]);
  }
  const versions = Array.from({ length: encoder.chunks }, (_, chunk) => encoder.version(chunk));
  for (let i = 0; i < 20; i++) {
    const { frame } = stream.next();
    for (const one of [ahead, other]) if (frame) one.take(frame);
  }
  // As a server does: only what has changed meanwhile.
  const blocks = versions.flatMap((version, chunk) =>
    encoder.version(chunk) === version ? [] : [{ chunk, block: encoder.key(chunk) }],
  );
  expect(blocks.length).toBeLessThan(encoder.chunks);
  const missed = writeFrame({ tick: 32, tier: 'phone', scale: 1 }, blocks);
  expect(behind.take(missed).lost).toEqual([]);
  expect(equalPlanes(behind.planes, ahead.planes)).toBe(true);
});

test('clients that are shown larger cells see what each would see alone', () => {
  const size = { width: 64, height: 48 };
  const stream = new WatchedStream(size.width, size.height, { scale: 2 });
  const decoder = new SharedDecoder();
  const clients = [0, 1].map(() => decoder.open(size));
  const alone = createDecoder(createPlanes(size.width, size.height));
  for (let i = 0; i < 12; i++) {
    const frame = i === 0 ? stream.keyframe() : stream.go(scribble(stream.planes, i, 60));
    const seen = alone.take(frame);
    expect(seen.lost).toEqual([]);
    for (const client of clients) expect(client.take(frame)).toEqual(seen);
  }
  for (const client of clients) expect(equalPlanes(client.planes, alone.planes)).toBe(true);
});
