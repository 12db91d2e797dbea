/** Conversion of numbers to and from 16-bit floats (IEEE 754 binary16). */

/** Smallest magnitude that rounds to infinity. */
const TOO_LARGE = 65_520;

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/**
 * Rounds numbers to 16-bit floats, ties to even. Numbers of magnitude 65,520 or more become
 * infinite.
 */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, halfOf);
}

function halfOf(value: number): number {
  FLOAT[0] = value;
  const sign = (BITS[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(FLOAT[0]);
  if (magnitude >= TOO_LARGE) return sign | 0x7c00;
  // Subnormal 16-bit floats are multiples of 2^-24. Scale by 2^24, so that these multiples are
  // integers. Adding 2^23 then rounds to an integer, because 32-bit floats between 2^23 and 2^24
  // have no fraction bits. The operator % removes the 2^23 again.
  if (magnitude < 2 ** -14) return sign | (Math.fround(magnitude * 2 ** 24 + 2 ** 23) % 2 ** 23);
  BITS[0] &= 0x7fffffff;
  // Round to nearest, ties to even: add half the value of the lowest bit that is kept. If that bit
  // is 0, add one unit less, so that a tie is rounded down to the even number.
  const rounded = BITS[0] + 0x0fff + ((BITS[0] >>> 13) & 1);
  return sign | ((rounded >>> 13) - 0x1c000);
}

export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
