/**
 * Cell textures on the GPU: the newest tick, the interpolated picture, and the blurs for lighting.
 */
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Program, Surface, Target } from './gl.ts';
import { beginPass, createProgram, createTarget, createTexture, deleteTarget } from './gl.ts';
import {
  BLEND_FRAGMENT,
  BLUR_FRAGMENT,
  COVER_VERTEX,
  MASK_FRAGMENT,
  TERRITORY_FRAGMENT,
} from './shaders/passes.ts';

/** Sigmas of the blurs, cells: for membranes and relief, for shadows, and for scattered light. */
const TIGHT_SIGMA = 1.15;
const WIDE_SIGMA = 2.3;
const HALO_SIGMA = 2.4;
const MASK_SIGMA = 0.9;

/** What a picture is made of, at the grid's resolution and at a half and a quarter of it. */
function targetsOf(gl: WebGL2RenderingContext, width: number, height: number) {
  const target = (part: number, format: Partial<Surface> = {}): Target => {
    const [w, h] = [Math.ceil(width / part), Math.ceil(height / part)];
    return createTarget(gl, { width: w, height: h, ...format });
  };
  return {
    from: target(1),
    shown: target(1),
    scratch: target(1),
    tight: target(1),
    mask: target(1),
    /** The organism that owns the ground at each place, see `TERRITORY_FRAGMENT`. */
    territory: target(1, { format: gl.RG32UI, filter: gl.NEAREST }),
    halfScratch: target(2),
    wide: target(2),
    quarterScratch: target(4),
    halo: target(4),
  };
}

/** Holds a room's planes as textures, and the textures derived from them. */
export class CellTextures {
  private readonly newest: WebGLTexture;
  private readonly owner: WebGLTexture;
  private readonly targets: ReturnType<typeof targetsOf>;
  private readonly programs: Record<'blend' | 'blur' | 'mask' | 'territory', Program>;
  private settled = false;
  /** Whether the latest uploaded tick has been drawn. */
  private drawn = true;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    readonly width: number,
    readonly height: number,
  ) {
    const program = (fragment: string): Program => createProgram(gl, COVER_VERTEX, fragment);
    this.newest = createTexture(gl, { width, height, filter: gl.NEAREST });
    this.owner = createTexture(gl, { width, height, format: gl.R32UI, filter: gl.NEAREST });
    this.targets = targetsOf(gl, width, height);
    this.programs = {
      blend: program(BLEND_FRAGMENT),
      blur: program(BLUR_FRAGMENT),
      mask: program(MASK_FRAGMENT),
      territory: program(TERRITORY_FRAGMENT),
    };
  }

  dispose(): void {
    const { gl } = this;
    for (const target of Object.values(this.targets)) deleteTarget(gl, target);
    for (const texture of [this.newest, this.owner]) gl.deleteTexture(texture);
    for (const { program } of Object.values(this.programs)) gl.deleteProgram(program);
  }

  /** What the scene's shader reads, by the names of its samplers. */
  get textures(): Readonly<Record<string, WebGLTexture>> {
    const { shown, tight, wide, mask, halo, territory } = this.targets;
    return {
      uCells: shown.texture,
      uTight: tight.texture,
      uWide: wide.texture,
      uMask: mask.texture,
      uOwner: this.owner,
      uHalo: halo.texture,
      uTerritory: territory.texture,
    };
  }

  /** Uploads a new tick. Interpolation starts from what is on screen, so that nothing jumps. */
  upload(planes: Planes, changed: readonly Rect[]): void {
    const { gl, targets } = this;
    // If two ticks arrive between two pictures, the first was never shown.
    if (this.drawn) [targets.from, targets.shown] = [targets.shown, targets.from];
    this.drawn = false;
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, planes.width);
    for (const { x, y, width, height } of changed) {
      gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, x);
      gl.pixelStorei(gl.UNPACK_SKIP_ROWS, y);
      gl.bindTexture(gl.TEXTURE_2D, this.newest);
      const { RGBA, UNSIGNED_BYTE, RED_INTEGER, UNSIGNED_INT } = gl;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, RGBA, UNSIGNED_BYTE, planes.rgba);
      gl.bindTexture(gl.TEXTURE_2D, this.owner);
      const owner = planes.owner;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, RED_INTEGER, UNSIGNED_INT, owner);
    }
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, 0);
    gl.pixelStorei(gl.UNPACK_SKIP_ROWS, 0);
    this.settled = false;
  }

  /**
   * Interpolates towards the newest tick.
   *
   * @param share 0…1
   */
  blend(share: number): void {
    const { gl } = this;
    const { blend } = this.programs;
    const { from, shown, scratch, tight, halfScratch, wide, quarterScratch, halo } = this.targets;
    gl.disable(gl.BLEND);
    if (!this.settled) this.settle();
    this.drawn = true;
    beginPass(gl, blend, shown, { uFrom: from.texture, uTo: this.newest });
    gl.uniform1f(blend.uniform('uShare'), share);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(shown, scratch, tight, TIGHT_SIGMA);
    this.blur(tight, halfScratch, wide, WIDE_SIGMA);
    this.blur(wide, quarterScratch, halo, HALO_SIGMA);
  }

  private settle(): void {
    const { gl, programs, targets } = this;
    beginPass(gl, programs.territory, targets.territory, { uOwner: this.owner });
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.settled = true;
  }

  /** Redraws the mask of the places that the selected, hovered and second organism own. */
  select(selected: number, hovered: number, second: number): void {
    const { gl, programs, targets } = this;
    gl.disable(gl.BLEND);
    beginPass(gl, programs.mask, targets.mask, { uOwner: this.owner });
    gl.uniform3ui(programs.mask.uniform('uIds'), selected, hovered, second);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(targets.mask, targets.scratch, targets.mask, MASK_SIGMA);
  }

  private blur(source: Target, between: Target, into: Target, sigma: number): void {
    const { gl } = this;
    const { blur } = this.programs;
    const axis = (from: Target, to: Target, x: number, y: number): void => {
      beginPass(gl, blur, to, { uSource: from.texture });
      gl.uniform2f(blur.uniform('uSize'), to.width, to.height);
      gl.uniform2f(blur.uniform('uStep'), x / to.width, y / to.height);
      gl.uniform1f(blur.uniform('uSigma'), sigma);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    };
    axis(source, between, 1, 0);
    axis(between, into, 0, 1);
  }
}
