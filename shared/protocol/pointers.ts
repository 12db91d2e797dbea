/**
 * Compact pointer positions for sending, because in a crowd each page receives hundreds of them per
 * second.
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
 * A packed pointer: the participant, x and y in eighths of a cell, and the index of the tool. If
 * the pointer has left the grid, only the participant.
 */
export const packedPointer = v.union([
  v.tuple([whole, whole, whole, v.pipe(whole, v.minValue(0), v.maxValue(TOOLS.length - 1))]),
  v.strictTuple([whole]),
]);
export type PackedPointer = v.InferOutput<typeof packedPointer>;

/**
 * Maximum magnitude of coordinates, in cells, which is beyond any grid. Coordinates with a greater
 * magnitude are clamped.
 */
const FAR = 2 ** 20;

const toldPlace = (place: number): number =>
  Math.round(PARTS * Math.max(-FAR, Math.min(FAR, place)));

/**
 * Packs a pointer for sending. Its position is rounded to eighths of a cell and clamped to ±`FAR`.
 */
export function packPointer({ id, x, y, tool }: Pointer): PackedPointer {
  if (x === undefined || y === undefined) return [id];
  return [id, toldPlace(x), toldPlace(y), TOOLS.indexOf(tool)];
}

/** Unpacks a pointer. The position differs from the original by at most a sixteenth of a cell. */
export function unpackPointer([id, x, y, tool]: PackedPointer): Pointer {
  if (x === undefined || y === undefined || tool === undefined) return { id, tool: 'look' };
  return { id, x: x / PARTS, y: y / PARTS, tool: TOOLS[tool] };
}
