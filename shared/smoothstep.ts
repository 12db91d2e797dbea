/** Computes GLSL's `smoothstep`: 0 up to `low`, 1 from `high`, and a smooth curve in between. */
export function smoothstep(low: number, high: number, x: number): number {
  const t = Math.max(0, Math.min(1, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
