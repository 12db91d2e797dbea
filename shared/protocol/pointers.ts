/** Pointers on the wire: lists of small numbers, for in a crowd hundreds of them go to everybody each second. */
import * as v from 'valibot';
import { type ParticipantId, TOOLS, type Tool } from '../vocabulary.ts';

/** Where somebody's pointer is; without a place, it has left the grid. */
export interface Pointer {
  readonly id: ParticipantId;
  readonly x?: number | undefined;
  readonly y?: number | undefined;
  readonly tool: Tool;
}

/** Parts of a place in which pointers are told. */
const PARTS = 8;

const whole = v.pipe(v.number(), v.integer());

/** Whose, x and y in eighths of a place, index of the tool; whose alone: it has left the grid. */
export const packedPointer = v.union([
  v.tuple([whole, whole, whole, v.pipe(whole, v.minValue(0), v.maxValue(TOOLS.length - 1))]),
  v.strictTuple([whole]),
]);
export type PackedPointer = v.InferOutput<typeof packedPointer>;

/** Farther than any grid; what lies beyond is told as this. */
const FAR = 2 ** 20;

const toldPlace = (place: number): number =>
  Math.round(PARTS * Math.max(-FAR, Math.min(FAR, place)));

export function packPointer({ id, x, y, tool }: Pointer): PackedPointer {
  if (x === undefined || y === undefined) return [id];
  return [id, toldPlace(x), toldPlace(y), TOOLS.indexOf(tool)];
}

export function unpackPointer([id, x, y, tool]: PackedPointer): Pointer {
  if (x === undefined || y === undefined || tool === undefined) return { id, tool: 'look' };
  return { id, x: x / PARTS, y: y / PARTS, tool: TOOLS[tool] };
}
