/**
 * Cell textures on the GPU: the newest tick, the interpolated picture, and the blurs for lighting.
 */
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import {
  bindTexture,
  createProgram,
  createTarget,
  createTexture,
  deleteTarget,
  type Program,
  type Target,
} from './gl.ts';
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

/** Holds a room's planes as textures, and the textures derived from them. */
export class CellTextures {
  readonly owner: WebGLTexture;
  readonly tight: Target;
  readonly wide: Target;
  readonly halo: Target;
  readonly mask: Target;
  /** The organism that owns the ground at each place, see `TERRITORY_FRAGMENT`. */
  readonly territory: Target;
  private readonly newest: WebGLTexture;
  private readonly scratch: Target;
  private readonly halfScratch: Target;
  private readonly quarterScratch: Target;
  private from: Target;
  private shown: Target;
  private readonly blendProgram: Program;
  private readonly blurProgram: Program;
  private readonly maskProgram: Program;
  private readonly territoryProgram: Program;
  private settled = false;
  /** Whether the latest uploaded tick has been drawn. */
  private drawn = true;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    readonly width: number,
    readonly height: number,
  ) {
    this.newest = createTexture(gl, gl.RGBA8, width, height, gl.NEAREST);
    this.owner = createTexture(gl, gl.R32UI, width, height, gl.NEAREST);
    this.from = createTarget(gl, width, height);
    this.shown = createTarget(gl, width, height);
    this.scratch = createTarget(gl, width, height);
    this.tight = createTarget(gl, width, height);
    this.mask = createTarget(gl, width, height);
    this.territory = createTarget(gl, width, height, gl.RG32UI, gl.NEAREST);
    const half = [Math.ceil(width / 2), Math.ceil(height / 2)] as const;
    this.halfScratch = createTarget(gl, ...half);
    this.wide = createTarget(gl, ...half);
    const quarter = [Math.ceil(width / 4), Math.ceil(height / 4)] as const;
    this.quarterScratch = createTarget(gl, ...quarter);
    this.halo = createTarget(gl, ...quarter);
    this.blendProgram = createProgram(gl, COVER_VERTEX, BLEND_FRAGMENT);
    this.blurProgram = createProgram(gl, COVER_VERTEX, BLUR_FRAGMENT);
    this.maskProgram = createProgram(gl, COVER_VERTEX, MASK_FRAGMENT);
    this.territoryProgram = createProgram(gl, COVER_VERTEX, TERRITORY_FRAGMENT);
  }

  dispose(): void {
    const { gl, from, shown, scratch, tight, wide, halo, mask, territory } = this;
    const targets = [from, shown, scratch, tight, wide, halo, mask, territory];
    for (const target of [...targets, this.halfScratch, this.quarterScratch]) {
      deleteTarget(gl, target);
    }
    for (const texture of [this.newest, this.owner]) gl.deleteTexture(texture);
    const { blendProgram, blurProgram, maskProgram, territoryProgram } = this;
    for (const { program } of [blendProgram, blurProgram, maskProgram, territoryProgram]) {
      gl.deleteProgram(program);
    }
  }

  get cells(): WebGLTexture {
    return this.shown.texture;
  }

  /** Uploads a new tick. Interpolation starts from what is on screen, so that nothing jumps. */
  upload(planes: Planes, changed: readonly Rect[]): void {
    // If two ticks arrive between two pictures, the first was never shown.
    if (this.drawn) [this.from, this.shown] = [this.shown, this.from];
    this.drawn = false;
    const { gl } = this;
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
    const { gl, blendProgram } = this;
    gl.disable(gl.BLEND);
    if (!this.settled) this.settle();
    this.drawn = true;
    this.into(this.shown, blendProgram);
    bindTexture(gl, blendProgram, 'uFrom', 0, this.from.texture);
    bindTexture(gl, blendProgram, 'uTo', 1, this.newest);
    gl.uniform1f(blendProgram.uniform('uShare'), share);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(this.shown, this.scratch, this.tight, TIGHT_SIGMA);
    this.blur(this.tight, this.halfScratch, this.wide, WIDE_SIGMA);
    this.blur(this.wide, this.quarterScratch, this.halo, HALO_SIGMA);
  }

  private settle(): void {
    const { gl, territoryProgram } = this;
    this.into(this.territory, territoryProgram);
    bindTexture(gl, territoryProgram, 'uOwner', 0, this.owner);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.settled = true;
  }

  /** Redraws the mask of the places that the selected, hovered and second organism own. */
  select(selected: number, hovered: number, second: number): void {
    const { gl, maskProgram } = this;
    gl.disable(gl.BLEND);
    this.into(this.mask, maskProgram);
    bindTexture(gl, maskProgram, 'uOwner', 0, this.owner);
    gl.uniform3ui(maskProgram.uniform('uIds'), selected, hovered, second);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(this.mask, this.scratch, this.mask, MASK_SIGMA);
  }

  private blur(source: Target, between: Target, into: Target, sigma: number): void {
    const { gl, blurProgram } = this;
    const axis = (from: Target, to: Target, x: number, y: number): void => {
      this.into(to, blurProgram);
      bindTexture(gl, blurProgram, 'uSource', 0, from.texture);
      gl.uniform2f(blurProgram.uniform('uSize'), to.width, to.height);
      gl.uniform2f(blurProgram.uniform('uStep'), x / to.width, y / to.height);
      gl.uniform1f(blurProgram.uniform('uSigma'), sigma);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    };
    axis(source, between, 1, 0);
    axis(between, into, 0, 1);
  }

  private into(target: Target, { program }: Program): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
    gl.viewport(0, 0, target.width, target.height);
    gl.useProgram(program);
  }
}
