/**
 * Textures on the GPU that contain cells: the cells of the newest tick, the cells on screen
 * (interpolated between ticks), and blurred copies of the cells on screen for lighting.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import {
  beginPass,
  createTarget,
  createTexture,
  deleteTarget,
  type Programs,
  type Surface,
  type Target,
} from './gl.ts';
import { AT_ONCE, LONGEST } from './shaders/passes.ts';

/**
 * Standard deviations of the Gaussian blurs, in texels of the resulting texture. The blurs are used
 * for relief (`TIGHT`), shadows (`WIDE`), scattered light (`HALO`) and highlights of organisms
 * (`MASK`).
 */
const TIGHT_SIGMA = 1.15;
const WIDE_SIGMA = 2.3;
const HALO_SIGMA = 2.4;
const MASK_SIGMA = 0.9;
/**
 * A position belongs to the organism with the most cells nearby; see `TERRITORY_FRAGMENT`. Nearby
 * means up to this distance, in cells along each axis.
 */
const VOTES = 3;
/**
 * If a tick arrives less than this after the last frame was drawn, in ms, interpolation starts at
 * the time of that frame. Otherwise, interpolation starts when the tick arrives.
 */
const RECENT = 100;

/** The arrival of a tick. */
export interface Arrival {
  /** Time of arrival, in ms. */
  readonly now: number;
  /** Duration of a tick, in ms. */
  readonly tick: number;
  /** Areas to show without interpolation. */
  readonly atOnce: readonly Rect[];
}

/** Creates textures for a grid, at full, half and quarter resolution. */
function targetsOf(gl: WebGL2RenderingContext, width: number, height: number) {
  const target = (part: number, format: Partial<Surface> = {}): Target => {
    const [w, h] = [Math.ceil(width / part), Math.ceil(height / part)];
    return createTarget(gl, { width: w, height: h, ...format });
  };
  return {
    newest: target(1, { filter: gl.NEAREST }),
    before: target(1, { filter: gl.NEAREST }),
    times: target(1, { format: gl.RG32UI, filter: gl.NEAREST }),
    nextTimes: target(1, { format: gl.RG32UI, filter: gl.NEAREST }),
    from: target(1),
    shown: target(1),
    scratch: target(1),
    tight: target(1),
    mask: target(1),
    /** Id of the organism to which each position belongs; see `TERRITORY_FRAGMENT`. */
    territory: target(1, { format: gl.RG32UI, filter: gl.NEAREST }),
    halfScratch: target(2),
    wide: target(2),
    quarterScratch: target(4),
    halo: target(4),
  };
}

/** If more areas than this have changed, the whole grid is redrawn. */
const MOST_AREAS = 64;

/**
 * Textures with the planes of a room (colours and owners of all cells), and textures computed from
 * the planes.
 */
export class CellTextures {
  /** Time at which all cells will show the newest tick, in ms. */
  until = 0;
  private readonly owner: WebGLTexture;
  private readonly targets: ReturnType<typeof targetsOf>;
  /** Areas in which the texture `territory` must be redrawn. */
  private unsettled: Rect[] = [];
  /** Whether the last uploaded tick has been drawn. */
  private drawn = true;
  private drawnAt = Number.NEGATIVE_INFINITY;
  /** Time at which the current interpolation starts, in ms. */
  private since = 0;
  private arrivedAt = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly programs: Programs,
    readonly width: number,
    readonly height: number,
  ) {
    this.owner = createTexture(gl, { width, height, format: gl.R32UI, filter: gl.NEAREST });
    this.targets = targetsOf(gl, width, height);
  }

  dispose(): void {
    const { gl } = this;
    for (const target of Object.values(this.targets)) deleteTarget(gl, target);
    gl.deleteTexture(this.owner);
  }

  /** The textures that the scene's shader reads, by the name of their sampler. */
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

  /**
   * Uploads a new tick. Interpolation starts from the cells on screen, so that no cell changes
   * suddenly.
   */
  upload(planes: Planes, changed: readonly Rect[], arrival: Arrival): void {
    const { gl, targets } = this;
    // If the previous tick has not been drawn, `from` still holds the last drawn frame.
    if (this.drawn) {
      [targets.from, targets.shown] = [targets.shown, targets.from];
      this.since = arrival.now - this.drawnAt < RECENT ? this.drawnAt : arrival.now;
    }
    this.drawn = false;
    this.arrivedAt = arrival.now;
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, planes.width);
    for (const { x, y, width, height } of changed) {
      gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, x);
      gl.pixelStorei(gl.UNPACK_SKIP_ROWS, y);
      gl.bindTexture(gl.TEXTURE_2D, targets.newest.texture);
      const { RGBA, UNSIGNED_BYTE, RED_INTEGER, UNSIGNED_INT } = gl;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, RGBA, UNSIGNED_BYTE, planes.rgba);
      gl.bindTexture(gl.TEXTURE_2D, this.owner);
      const owner = planes.owner;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, RED_INTEGER, UNSIGNED_INT, owner);
    }
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, 0);
    gl.pixelStorei(gl.UNPACK_SKIP_ROWS, 0);
    this.unsettled.push(...changed);
    // Limit the list, because ticks keep arriving while the page does not draw.
    if (this.unsettled.length > MOST_AREAS) {
      this.unsettled = [{ x: 0, y: 0, width: this.width, height: this.height }];
    }
    this.time(arrival);
  }

  /**
   * Computes the cells of the next frame, interpolated towards the newest tick, and blurred copies
   * of these cells.
   *
   * @param now current time, in ms
   */
  blend(now: number): void {
    const { gl } = this;
    if (this.drawn && this.drawnAt >= Math.min(now, this.until)) return;
    const { blend } = this.programs;
    const { from, newest, times, shown, scratch, tight } = this.targets;
    const { halfScratch, wide, quarterScratch, halo } = this.targets;
    gl.disable(gl.BLEND);
    this.settle();
    this.drawn = true;
    this.drawnAt = now;
    const textures = { uFrom: from.texture, uTo: newest.texture, uTimes: times.texture };
    beginPass(gl, blend, shown, textures);
    gl.uniform1ui(blend.uniform('uSince'), this.since);
    // `now`, the browser's time of the frame, may be slightly earlier than the tick's arrival.
    gl.uniform1ui(blend.uniform('uNow'), Math.max(this.arrivedAt, now));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.blur(shown, scratch, tight, TIGHT_SIGMA);
    this.blur(tight, halfScratch, wide, WIDE_SIGMA);
    this.blur(wide, quarterScratch, halo, HALO_SIGMA);
  }

  /** Computes the start and end of each cell's transition to a new tick; see `TIMES_FRAGMENT`. */
  private time({ now, tick, atOnce }: Arrival): void {
    const { gl, targets, width, height } = this;
    const { times } = this.programs;
    const { before, newest, nextTimes } = targets;
    const area = [0, 0, width, height] as const;
    gl.disable(gl.BLEND);
    beginPass(gl, times, nextTimes, {
      uBefore: before.texture,
      uNewest: newest.texture,
      uTimes: targets.times.texture,
    });
    gl.uniform1ui(times.uniform('uNow'), now);
    gl.uniform1f(times.uniform('uTick'), tick);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.enable(gl.SCISSOR_TEST);
    for (const { x, y, width: w, height: h } of atOnce) {
      gl.scissor(x, y, w, h);
      gl.clearBufferuiv(gl.COLOR, 0, [now, now + AT_ONCE, 0, 0]);
    }
    gl.disable(gl.SCISSOR_TEST);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, newest.framebuffer);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, before.framebuffer);
    gl.blitFramebuffer(...area, ...area, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    [targets.times, targets.nextTimes] = [nextTimes, targets.times];
    this.until = Math.max(this.until, now + LONGEST * tick);
  }

  private settle(): void {
    const { gl, programs, targets } = this;
    beginPass(gl, programs.territory, targets.territory, { uOwner: this.owner });
    gl.enable(gl.SCISSOR_TEST);
    for (const { x, y, width, height } of this.unsettled.splice(0)) {
      gl.scissor(x - VOTES, y - VOTES, width + 2 * VOTES, height + 2 * VOTES);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
    gl.disable(gl.SCISSOR_TEST);
  }

  /**
   * Redraws the mask that highlights organisms. The parameters are organism ids, or 0 for none: the
   * selected organism, the organism under the pointer, and the organism chosen as the second parent
   * of a new seed.
   */
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
    const axis = (from: Target, to: Target, isDown: number): void => {
      beginPass(gl, blur, to, { uSource: from.texture });
      gl.uniform4f(blur.uniform('uPass'), to.width, to.height, isDown, sigma);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    };
    axis(source, between, 0);
    axis(between, into, 1);
  }
}
