import { BufferPool } from '../../../../server/engine/core/buffers.ts';

/** Bytes of four floats. */
const FOUR = 16;

test('a released buffer is reused for a request of the same size', () => {
  const buffers = new BufferPool(10 * FOUR);
  const buffer = buffers.acquire(4);
  buffers.release(buffer);
  expect(buffers.acquire(5)).not.toBe(buffer);
  expect(buffers.acquire(4)).toBe(buffer);
  expect(buffers.acquire(4)).not.toBe(buffer);
});

test('sizes that nobody asks for any more make room for those that are in use', () => {
  const buffers = new BufferPool(3 * FOUR);
  for (const odd of [2, 3, 1, 6]) buffers.release(buffers.acquire(odd));
  const wanted = buffers.acquire(4);
  buffers.release(wanted);
  for (let k = 0; k < 20; k++) {
    expect(buffers.acquire(4)).toBe(wanted);
    buffers.release(wanted);
    buffers.release(new Float32Array(3));
  }
});

test('one that is too large to lie ready is not kept, and drives nothing out', () => {
  const buffers = new BufferPool(2 * FOUR);
  const [small, large] = [buffers.acquire(4), buffers.acquire(9)];
  buffers.release(small);
  buffers.release(large);
  expect(buffers.acquire(9)).not.toBe(large);
  expect(buffers.acquire(4)).toBe(small);
});
