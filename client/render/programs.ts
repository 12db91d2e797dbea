/** All programs of a renderer: what is compiled when a page opens. */
import { createPrograms, type Program } from './gl.ts';
import { LEVELS_FRAGMENT, SOFTEN_FRAGMENT } from './shaders/flashes.ts';
import { MARKS_FRAGMENT, MARKS_VERTEX } from './shaders/marks.ts';
import {
  BLEND_FRAGMENT,
  BLUR_FRAGMENT,
  COVER_VERTEX,
  MASK_FRAGMENT,
  TERRITORY_FRAGMENT,
  TIMES_FRAGMENT,
} from './shaders/passes.ts';
import { SCENE_FRAGMENT } from './shaders/scene.ts';

const SOURCES = {
  scene: [COVER_VERTEX, SCENE_FRAGMENT],
  marks: [MARKS_VERTEX, MARKS_FRAGMENT],
  levels: [COVER_VERTEX, LEVELS_FRAGMENT],
  soften: [COVER_VERTEX, SOFTEN_FRAGMENT],
  blend: [COVER_VERTEX, BLEND_FRAGMENT],
  blur: [COVER_VERTEX, BLUR_FRAGMENT],
  mask: [COVER_VERTEX, MASK_FRAGMENT],
  territory: [COVER_VERTEX, TERRITORY_FRAGMENT],
  times: [COVER_VERTEX, TIMES_FRAGMENT],
} as const;

export type Programs = Readonly<Record<keyof typeof SOURCES, Program>>;

/** @throws GlError with the compiler's message */
export const createAllPrograms = (gl: WebGL2RenderingContext): Programs =>
  createPrograms(gl, SOURCES);
