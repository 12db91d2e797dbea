/** The programs of a painter, compiled when the first picture of a room stands already. */
import { createPrograms, type Program } from '../gl.ts';
import {
  CHUNK_VERTEX,
  FIRST_FRAGMENT,
  LATER_FRAGMENT,
  PAINTED_FRAGMENT,
  PIXEL_FRAGMENT,
} from '../shaders/paint.ts';
import { COVER_VERTEX } from '../shaders/passes.ts';

const SOURCES = {
  first: [CHUNK_VERTEX, FIRST_FRAGMENT],
  later: [CHUNK_VERTEX, LATER_FRAGMENT],
  pixel: [CHUNK_VERTEX, PIXEL_FRAGMENT],
  scene: [COVER_VERTEX, PAINTED_FRAGMENT],
} as const;

export type PaintPrograms = Readonly<Record<keyof typeof SOURCES, Program>>;

/** @throws GlError with the compiler's message */
export const createPaintPrograms = (gl: WebGL2RenderingContext): PaintPrograms =>
  createPrograms(gl, SOURCES);
