/**
 * Packs pointer positions compactly, because each page of a crowded room receives hundreds of
 * positions per second.
 */
import * as v from 'valibot';
import { type ParticipantId, TOOLS, type Tool } from '../vocabulary.ts';

/** Interval between two cursor messages of a page, in ms. */
export const POINTER_INTERVAL = 66;

/** A participant's pointer. If x and y are absent, the pointer has left the grid. */
export interface Pointer {
  readonly id: ParticipantId;
  readonly x?: number | undefined;
  readonly y?: number | undefined;
  readonly tool: Tool;
}

/** Resolution of packed positions, in parts per cell. */
const PARTS = 8;

const whole = v.pipe(v.number(), v.safeInteger());

/**
 * A packed pointer: the participant's id, x and y in eighths of a cell, and the index of the tool;
 * only the id if the pointer has left the grid.
 */
export const packedPointer = v.union([
  v.tuple([whole, whole, whole, v.pipe(whole, v.minValue(0), v.maxValue(TOOLS.length - 1))]),
  v.strictTuple([whole]),
]);
export type PackedPointer = v.InferOutput<typeof packedPointer>;

/** Packed coordinates are clamped to ±`FAR` cells, which is far outside any grid. */
const FAR = 2 ** 20;

const toldPlace = (place: number): number =>
  Math.round(PARTS * Math.max(-FAR, Math.min(FAR, place)));

/** Packs a pointer, with its position rounded to eighths of a cell and clamped to ±`FAR`. */
export function packPointer({ id, x, y, tool }: Pointer): PackedPointer {
  if (x === undefined || y === undefined) return [id];
  return [id, toldPlace(x), toldPlace(y), TOOLS.indexOf(tool)];
}

/** Unpacks a pointer. Its position is off by at most a sixteenth of a cell, because of rounding. */
export function unpackPointer([id, x, y, tool]: PackedPointer): Pointer {
  if (x === undefined || y === undefined || tool === undefined) return { id, tool: 'look' };
  return { id, x: x / PARTS, y: y / PARTS, tool: TOOLS[tool] };
}
