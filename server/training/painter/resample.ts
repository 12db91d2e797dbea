/** Moves pictures, and makes them smaller. */

/** A picture moved by whole pixels; what comes in is empty. @param pixels [side, side, 4] */
export function shifted(pixels: Uint8Array, side: number, dx: number, dy: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  const width = side - Math.abs(dx);
  for (let y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
    const from = 4 * ((y - dy) * side + Math.max(0, -dx));
    result.set(pixels.subarray(from, from + 4 * width), 4 * (y * side + Math.max(0, dx)));
  }
  return result;
}

/** sinc(x)·sinc(x / 2) within 2, the kernel with which pictures of sets are made. */
const lanczos2 = (x: number): number => {
  if (x === 0) return 1;
  const p = Math.PI * x;
  return Math.abs(x) >= 2 ? 0 : (2 * Math.sin(p) * Math.sin(p / 2)) / (p * p);
};

/**
 * Makes a picture smaller by a whole factor, with Lanczos of two lobes.
 *
 * @param pixels [side, side, 4] premultiplied
 * @returns [side / factor, side / factor, 4], colour never above alpha
 */
export function reduced(pixels: Uint8Array, side: number, factor: number): Uint8Array {
  const small = side / factor;
  const taps = Array.from({ length: 4 * factor }, (_, k) =>
    lanczos2((k + 0.5 - 2 * factor) / factor),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const rows = new Float32Array(small * side * 4);
  for (let y = 0; y < small; y++) {
    taps.forEach((tap, k) => {
      const from = y * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      const [to, at] = [y * side * 4, from * side * 4];
      for (let i = 0; i < side * 4; i++) rows[to + i] += (tap / total) * pixels[at + i];
    });
  }
  const result = new Uint8Array(small * small * 4);
  const sum = new Float32Array(4);
  for (let i = 0; i < small * small; i++) {
    const [x, y] = [i % small, Math.floor(i / small)];
    sum.fill(0);
    taps.forEach((tap, k) => {
      const from = x * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      for (let c = 0; c < 4; c++) sum[c] += (tap / total) * rows[4 * (y * side + from) + c];
    });
    const alpha = Math.min(255, Math.max(0, Math.round(sum[3])));
    for (let c = 0; c < 3; c++) {
      result[4 * i + c] = Math.min(alpha, Math.max(0, Math.round(sum[c])));
    }
    result[4 * i + 3] = alpha;
  }
  return result;
}
