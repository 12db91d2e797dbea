// @ts-check
/**
 * In every suite: arrays of numbers that are the same byte by byte are equal. Jest compares them key by key, which takes
 * a microsecond for each number; where bytes differ, it does so, and says where.
 */

/** @param {ArrayBufferView} view */
const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

expect.addEqualityTesters([
  (a, b) =>
    ArrayBuffer.isView(a) &&
    ArrayBuffer.isView(b) &&
    a.constructor === b.constructor &&
    bytesOf(a).equals(bytesOf(b))
      ? true
      : undefined,
]);
