/** Marks: rings, discs, glows and previews of seeds, which are drawn in front of the cells. */
import type { Rgb } from '../style/fragments.ts';
import type { FieldRows } from './current.ts';
import { bindTextures, createTexture, type Program } from './gl.ts';

export const MARK = { glow: 0, ring: 1, disc: 2, picture: 3 } as const;

export interface Mark {
  readonly kind: keyof typeof MARK;
  readonly x: number;
  readonly y: number;
  /**
   * The other end of a line with round ends. In a mark of kind `picture`, which shows a preview of
   * a seed: the preview's column and row in the image that holds all previews.
   */
  readonly x2?: number;
  readonly y2?: number;
  /** Radius in cells. */
  readonly radius: number;
  /** Width of the soft edge, in CSS pixels. */
  readonly softness?: number;
  readonly line?: number;
  readonly color: Rgb;
  readonly alpha: number;
  /** How the mark blends, 0…1: 0 covers like opaque paint (default), 1 only adds light. */
  readonly glow?: number;
}

const FLOATS = 12;

/**
 * A list of marks (rings, discs, glows and previews of seeds), in the layout that the GPU reads.
 * Reused for each frame.
 */
export class MarkList {
  data = new Float32Array(FLOATS * 64);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(mark: Mark): void {
    const at = this.count++ * FLOATS;
    if (at + FLOATS > this.data.length) {
      const larger = new Float32Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    const { x, y, radius, alpha, color, glow = 0 } = mark;
    this.data.set([x, y, mark.x2 ?? x, mark.y2 ?? y], at);
    this.data.set([radius, mark.softness ?? 0, mark.line ?? 1.5, MARK[mark.kind]], at + 4);
    const [r, g, b] = color;
    this.data.set([r * alpha, g * alpha, b * alpha, alpha * (1 - glow)], at + 8);
  }
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly originX: number;
  readonly originY: number;
  /** Cells per device pixel. */
  readonly scale: number;
  /** Cells per CSS pixel. */
  readonly pixel: number;
}

/** Draws a list of light marks with a single draw call. */
export class MarkPainter {
  private readonly array: WebGLVertexArrayObject;
  private readonly buffer: WebGLBuffer;
  private sheet: WebGLTexture;
  private tiles = { columns: 1, rows: 1 };
  private readonly rows = new Float32Array(8);

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly program: Program,
  ) {
    this.array = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    for (let i = 0; i < 3; i++) {
      gl.enableVertexAttribArray(i);
      gl.vertexAttribPointer(i, 4, gl.FLOAT, false, FLOATS * 4, i * 16);
      gl.vertexAttribDivisor(i, 1);
    }
    gl.bindVertexArray(null);
    this.sheet = createTexture(gl, { width: 1, height: 1 });
  }

  setSheet(image: HTMLImageElement, columns: number): void {
    const { gl } = this;
    gl.deleteTexture(this.sheet);
    this.sheet = createTexture(gl, { width: image.width, height: image.height });
    const { RGBA, UNSIGNED_BYTE } = gl;
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, RGBA, UNSIGNED_BYTE, image);
    this.tiles = { columns, rows: Math.max(1, Math.round((columns * image.height) / image.width)) };
  }

  dispose(): void {
    const { gl } = this;
    gl.deleteVertexArray(this.array);
    gl.deleteBuffer(this.buffer);
    gl.deleteTexture(this.sheet);
  }

  draw(list: MarkList, view: View, field: FieldRows): void {
    if (list.count === 0) return;
    const { gl, program } = this;
    gl.useProgram(program.program);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, list.data.subarray(0, list.count * FLOATS), gl.STREAM_DRAW);
    const { width, height, originX, originY, scale, pixel } = view;
    const { columns, rows } = this.tiles;
    this.rows.set([width, height, columns, rows, originX, originY, scale, pixel]);
    gl.uniform4fv(program.uniform('uRows'), this.rows);
    gl.uniform4fv(program.uniform('uField'), field);
    bindTextures(gl, program, { uSheet: this.sheet });
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, list.count);
    gl.disable(gl.BLEND);
    gl.bindVertexArray(null);
  }
}
