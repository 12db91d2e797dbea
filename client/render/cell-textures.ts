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

/** Holds a room's planes as textures, and the textures derived from them. */
export class CellTextures {
  private readonly owner: WebGLTexture;
  private readonly tight: Target;
  private readonly wide: Target;
  private readonly halo: Target;
  private readonly mask: Target;
  /** The organism that owns the ground at each place, see `TERRITORY_FRAGMENT`. */
  private readonly territory: Target;
  private readonly newest: WebGLTexture;
  private readonly targets: Target[] = [];
  private readonly programs: Program[] = [];
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
    const target = (surface: Surface): Target => {
      const created = createTarget(gl, surface);
      this.targets.push(created);
      return created;
    };
    const program = (fragment: string): Program => {
      const created = createProgram(gl, COVER_VERTEX, fragment);
      this.programs.push(created);
      return created;
    };
    const full = { width, height };
    const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
    const quarter = { width: Math.ceil(width / 4), height: Math.ceil(height / 4) };
    this.newest = createTexture(gl, { ...full, filter: gl.NEAREST });
    this.owner = createTexture(gl, { ...full, format: gl.R32UI, filter: gl.NEAREST });
    this.from = target(full);
    this.shown = target(full);
    this.scratch = target(full);
    this.tight = target(full);
    this.mask = target(full);
    this.territory = target({ ...full, format: gl.RG32UI, filter: gl.NEAREST });
    this.halfScratch = target(half);
    this.wide = target(half);
    this.quarterScratch = target(quarter);
    this.halo = target(quarter);
    this.blendProgram = program(BLEND_FRAGMENT);
    this.blurProgram = program(BLUR_FRAGMENT);
    this.maskProgram = program(MASK_FRAGMENT);
    this.territoryProgram = program(TERRITORY_FRAGMENT);
  }

  dispose(): void {
    const { gl } = this;
    for (const target of this.targets) deleteTarget(gl, target);
    for (const texture of [this.newest, this.owner]) gl.deleteTexture(texture);
    for (const { program } of this.programs) gl.deleteProgram(program);
  }

  /** What the scene's shader reads, by the names of its samplers. */
  get textures(): Readonly<Record<string, WebGLTexture>> {
    return {
      uCells: this.shown.texture,
      uTight: this.tight.texture,
      uWide: this.wide.texture,
      uMask: this.mask.texture,
      uOwner: this.owner,
      uHalo: this.halo.texture,
      uTerritory: this.territory.texture,
    };
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
    beginPass(gl, blendProgram, this.shown, { uFrom: this.from.texture, uTo: this.newest });
    gl.uniform1f(blendProgram.uniform('uShare'), share);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(this.shown, this.scratch, this.tight, TIGHT_SIGMA);
    this.blur(this.tight, this.halfScratch, this.wide, WIDE_SIGMA);
    this.blur(this.wide, this.quarterScratch, this.halo, HALO_SIGMA);
  }

  private settle(): void {
    const { gl } = this;
    beginPass(gl, this.territoryProgram, this.territory, { uOwner: this.owner });
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.settled = true;
  }

  /** Redraws the mask of the places that the selected, hovered and second organism own. */
  select(selected: number, hovered: number, second: number): void {
    const { gl, maskProgram } = this;
    gl.disable(gl.BLEND);
    beginPass(gl, maskProgram, this.mask, { uOwner: this.owner });
    gl.uniform3ui(maskProgram.uniform('uIds'), selected, hovered, second);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(this.mask, this.scratch, this.mask, MASK_SIGMA);
  }

  private blur(source: Target, between: Target, into: Target, sigma: number): void {
    const { gl, blurProgram } = this;
    const axis = (from: Target, to: Target, x: number, y: number): void => {
      beginPass(gl, blurProgram, to, { uSource: from.texture });
      gl.uniform2f(blurProgram.uniform('uSize'), to.width, to.height);
      gl.uniform2f(blurProgram.uniform('uStep'), x / to.width, y / to.height);
      gl.uniform1f(blurProgram.uniform('uSigma'), sigma);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    };
    axis(source, between, 1, 0);
    axis(between, into, 0, 1);
  }
}
