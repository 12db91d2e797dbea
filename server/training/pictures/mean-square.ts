/** Mean squared difference of two pictures of bytes, 0…1. */
export function meanSquare(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / (255 * 255 * a.length);
}
