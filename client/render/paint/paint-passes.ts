/** Runs a painter's layers on the GPU, over the chunks that are due. */

import type { PainterLayer, PainterNet } from '../../../shared/painter/net.ts';
import {
  beginPass,
  createPrograms,
  createTarget,
  createTexture,
  deleteTarget,
  type Program,
  type Target,
} from '../gl.ts';
import {
  BATCH,
  CHUNK,
  CHUNK_VERTEX,
  FIRST_FRAGMENT,
  LATER_FRAGMENT,
  PAINTED_FRAGMENT,
  PIXEL_FRAGMENT,
} from '../shaders/paint.ts';
import { COVER_VERTEX } from '../shaders/passes.ts';
import type { Job } from './paint-plan.ts';

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

/** What cells look like, and whose they are; at the size of the room. */
export type CellSources = Readonly<Record<'uCells' | 'uOwner' | string, WebGLTexture>>;

/** Where paint goes. */
export interface PaintTarget {
  readonly target: Target;
  /** Pixels a cell, along a side. */
  readonly scale: number;
}

/** A layer's weights: a row for each four outputs, a column for each input, the biases last. */
function weightTexture(
  gl: WebGL2RenderingContext,
  { inputs, outputs, kernel, bias }: PainterLayer,
): WebGLTexture {
  const [width, height] = [inputs + 1, outputs / 4];
  const data = new Float32Array(4 * width * height);
  for (let o = 0; o < outputs; o++) {
    const at = 4 * (o >> 2) * width + (o & 3);
    for (let i = 0; i < inputs; i++) data[at + 4 * i] = kernel[i * outputs + o];
    data[at + 4 * inputs] = bias[o];
  }
  const texture = createTexture(gl, { width, height, format: gl.RGBA32F, filter: gl.NEAREST });
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.FLOAT, data);
  return texture;
}

/**
 * The formats that layers are drawn in: the ramps' numbers are multiplied once more, so they are
 * kept in more bits where that is possible. To be asked for where `mayPaint`.
 */
const formatsOf = (gl: WebGL2RenderingContext): { hidden: GLenum; ramps: GLenum } => ({
  hidden: gl.RGBA16F,
  ramps: gl.getExtension('EXT_color_buffer_float') ? gl.RGBA32F : gl.RGBA16F,
});

/** The passes of one painter. */
export class PaintPasses {
  private readonly layers: readonly {
    readonly weights: WebGLTexture;
    readonly target: Target;
    readonly groups: number;
  }[];

  /** Places of the chunks of a batch, see `CHUNK_VERTEX`: one below the other, and in the atlas. */
  private readonly strip = new Int32Array(4 * BATCH);
  private readonly slots = new Int32Array(4 * BATCH);

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly programs: PaintPrograms,
    net: PainterNet,
  ) {
    const { hidden, ramps } = formatsOf(gl);
    this.layers = net.map((layer, i) => {
      const groups = layer.outputs / 4;
      const size = { width: CHUNK * groups, height: CHUNK * BATCH };
      const target = createTarget(gl, {
        ...{ ...size, format: i < 2 ? hidden : ramps, filter: gl.NEAREST },
      });
      return { weights: weightTexture(gl, layer), target, groups };
    });
  }

  /** Paints chunks. */
  paint(jobs: readonly Job[], cells: CellSources, into: PaintTarget): void {
    this.gl.disable(this.gl.BLEND);
    for (let i = 0; i < jobs.length; i += BATCH) this.batch(jobs.slice(i, i + BATCH), cells, into);
  }

  private batch(jobs: readonly Job[], cells: CellSources, into: PaintTarget): void {
    const { gl, layers } = this;
    const { first, later, pixel } = this.programs;
    const { uCells, uOwner } = cells;
    const { strip, slots } = this;
    const size = CHUNK * into.scale;
    jobs.forEach(({ column, row, slotColumn, slotRow }, i) => {
      const from = [CHUNK * column, CHUNK * row] as const;
      strip.set([0, CHUNK * i, ...from], 4 * i);
      slots.set([size * slotColumn, size * slotRow, ...from], 4 * i);
    });
    const count = jobs.length;
    layers.forEach(({ weights: uWeights, target, groups }, i) => {
      const program = i === 0 ? first : later;
      const { target: from, groups: before } = layers[Math.max(0, i - 1)];
      const sources = i === 0 ? { uCells, uOwner } : { uHidden: from.texture };
      beginPass(gl, program, target, { uWeights, ...sources });
      if (i > 0) {
        gl.uniform1i(program.uniform('uGroups'), before);
        gl.uniform1f(program.uniform('uEmpty'), i === layers.length - 1 ? 0 : -1);
      }
      this.draw(program, target, strip.subarray(0, 4 * count), [CHUNK * groups, CHUNK]);
    });
    const { target: ramps, groups } = layers[layers.length - 1];
    const { target, scale } = into;
    beginPass(gl, pixel, target, { uHidden: ramps.texture, uCells });
    gl.uniform1i(pixel.uniform('uGroups'), groups);
    gl.uniform1i(pixel.uniform('uScale'), scale);
    this.draw(pixel, target, slots.subarray(0, 4 * count), [size, size]);
  }

  /** @param places four numbers for each chunk, see `CHUNK_VERTEX` */
  private draw(
    program: Program,
    target: Target,
    places: Int32Array,
    area: readonly [number, number],
  ): void {
    const { gl } = this;
    gl.uniform4iv(program.uniform('uPlaces'), places);
    gl.uniform2i(program.uniform('uArea'), ...area);
    gl.uniform2f(program.uniform('uTarget'), target.width, target.height);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, places.length / 4);
  }

  dispose(): void {
    for (const { weights, target } of this.layers) {
      deleteTarget(this.gl, target);
      this.gl.deleteTexture(weights);
    }
  }
}
