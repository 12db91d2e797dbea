/** The width of strokes, which cut organisms or graft cells. */
import { STROKE_LIMITS } from '../../shared/limits.ts';

/**
 * Initial radius of strokes with the mouse (`radius`) and with fingers (`touchRadius`), in cells.
 * Fingers would hide a narrow cut.
 */
export const STROKE_RADIUS = { radius: 3, touchRadius: 5 } as const;

/** Returns the allowed radius that is nearest to `radius`, in cells. */
export function limitedRadius(radius: number, widest: number = STROKE_LIMITS.maxRadius): number {
  return Math.max(STROKE_LIMITS.minRadius, Math.min(widest, radius));
}
