/** Limits that pages and servers share. */

/** Limits of strokes. Lengths and radii are in cells. */
export const STROKE_LIMITS = {
  minRadius: 0.5,
  maxRadius: 12,
  maxPoints: 64,
  maxLength: 512,
} as const;

/** Maximum number of seeds in a participant's hand. A further seed replaces the oldest seed. */
export const MAX_SEEDS_IN_HAND = 8;

/** Number of rings of a touch table. Each person at the table uses one ring. */
export const RINGS = 10;

/** Maximum size of a drawing, in bytes: RGBA of 60×60 pixels. */
export const MAX_DRAWING = 14_400;

/** Maximum number of organisms whose genomes a message may request. */
export const MAX_GENOMES_ASKED = 64;

/** Maximum period that an undo can cover, in seconds. */
export const MOST_UNDO = 600;

export const MAX_LOGO_BYTES = 256_000;

/** Default of the maximum number of flashes per second. */
export const DEFAULT_FLASH_LIMIT = 3;

/** Free space on the data folder's disk, in bytes, below which hosts are warned. */
export const LITTLE_DISK_SPACE = 2 ** 30;
