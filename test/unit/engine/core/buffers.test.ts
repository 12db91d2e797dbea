import { Buffers } from '../../../../server/engine/core/buffers.ts';

/** Bytes of four floats. */
const FOUR = 16;

test('what is given back is lent again, to whoever wants just as much', () => {
  const buffers = new Buffers(10 * FOUR);
  const buffer = buffers.lend(4);
  buffers.release(buffer);
  expect(buffers.lend(5)).not.toBe(buffer);
  expect(buffers.lend(4)).toBe(buffer);
  expect(buffers.lend(4)).not.toBe(buffer);
});

test('sizes that nobody asks for any more make room for those that are in use', () => {
  const buffers = new Buffers(3 * FOUR);
  for (const odd of [2, 3, 1, 6]) buffers.release(buffers.lend(odd));
  const wanted = buffers.lend(4);
  buffers.release(wanted);
  for (let k = 0; k < 20; k++) {
    expect(buffers.lend(4)).toBe(wanted);
    buffers.release(wanted);
    buffers.release(new Float32Array(3));
  }
});

test('one that is too large to lie ready is not kept, and drives nothing out', () => {
  const buffers = new Buffers(2 * FOUR);
  const [small, large] = [buffers.lend(4), buffers.lend(9)];
  buffers.release(small);
  buffers.release(large);
  expect(buffers.lend(9)).not.toBe(large);
  expect(buffers.lend(4)).toBe(small);
});
