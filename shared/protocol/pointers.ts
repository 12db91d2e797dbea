/**
 * Compact pointer positions on the wire, because in a crowd everybody receives hundreds per second.
 */
import * as v from 'valibot';
import { type ParticipantId, TOOLS, type Tool } from '../vocabulary.ts';

/** Interval of cursor messages, in ms. */
export const POINTER_INTERVAL = 66;

/** A participant's pointer; without a position, the pointer has left the grid. */
export interface Pointer {
  readonly id: ParticipantId;
  readonly x?: number | undefined;
  readonly y?: number | undefined;
  readonly tool: Tool;
}

/** Resolution of positions, in parts per cell. */
const PARTS = 8;

const whole = v.pipe(v.number(), v.safeInteger());

/**
 * Participant, x and y in eighths of a cell, and tool index; or only the participant if their
 * pointer has left the grid.
 */
export const packedPointer = v.union([
  v.tuple([whole, whole, whole, v.pipe(whole, v.minValue(0), v.maxValue(TOOLS.length - 1))]),
  v.strictTuple([whole]),
]);
export type PackedPointer = v.InferOutput<typeof packedPointer>;

/** Maximum coordinate, in cells, to which positions are clamped. It lies beyond any grid. */
const FAR = 2 ** 20;

const toldPlace = (place: number): number =>
  Math.round(PARTS * Math.max(-FAR, Math.min(FAR, place)));

/** Packs a pointer for sending: its position in eighths of a cell, clamped to `FAR`. */
export function packPointer({ id, x, y, tool }: Pointer): PackedPointer {
  if (x === undefined || y === undefined) return [id];
  return [id, toldPlace(x), toldPlace(y), TOOLS.indexOf(tool)];
}

/** Unpacks a pointer. Its position is exact to a sixteenth of a cell. */
export function unpackPointer([id, x, y, tool]: PackedPointer): Pointer {
  if (x === undefined || y === undefined || tool === undefined) return { id, tool: 'look' };
  return { id, x: x / PARTS, y: y / PARTS, tool: TOOLS[tool] };
}
