/**
 * Sits between the scene and the screen. It measures each picture on the GPU and softens it
 * where the flash guard says so. Measurements are read back asynchronously, one or two pictures
 * later.
 */

import type { FlashLimit } from '../../shared/vocabulary.ts';
import { FlashGuard } from './flash-guard.ts';
import { beginPass, createTarget, createTexture, deleteTarget, type Target } from './gl.ts';
import type { Programs } from './programs.ts';

/** Zones along the longer side. */
const ZONES = 64;
/** Time without a movement of the camera after which pictures are measured again, ms. */
const STEADY = 250;
/** Measurements that may be in flight. */
const MAX_PENDING = 3;

interface Reading {
  readonly at: number;
  readonly buffer: WebGLBuffer;
  readonly fence: WebGLSync;
}

/** What a picture is, before it is drawn. */
interface Frame {
  readonly width: number;
  readonly height: number;
  /** ms */
  readonly now: number;
  /** Most flashes a second. */
  readonly limit: FlashLimit;
  /** Whether somebody moves the camera. */
  readonly panned: boolean;
}

/** Everything that depends on the screen's size. */
interface Pictures {
  readonly shown: [Target, Target];
  /** The scene before softening; created on first use. */
  scene: Target | undefined;
  readonly levels: Target;
  readonly shares: WebGLTexture;
  readonly guard: FlashGuard;
}

/** Measures each picture, and softens those that would flash. */
export class FlashSafeScreen {
  private pictures: Pictures | undefined;
  private readonly free: WebGLBuffer[] = [];
  private pending: Reading[] = [];
  private now = 0;
  private elapsed = 0;
  private soft = false;
  private pannedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly programs: Pick<Programs, 'levels' | 'soften'>,
  ) {}

  /**
   * Begins a picture.
   *
   * @returns the framebuffer to draw into
   */
  begin({ width, height, now, limit, panned }: Frame): WebGLFramebuffer {
    this.elapsed = Math.max(0, now - this.now);
    this.now = now;
    const pictures = this.sized(width, height, limit);
    this.read(pictures);
    if (panned) {
      this.pannedAt = now;
      pictures.guard.forget();
    }
    this.soft = pictures.guard.isSoft(now);
    if (!this.soft) return pictures.shown[1].framebuffer;
    pictures.scene ??= createTarget(this.gl, { width, height, format: this.gl.RGB10_A2 });
    return pictures.scene.framebuffer;
  }

  /** Shows the finished picture. @returns whether anything is being softened */
  end(): boolean {
    const { gl, pictures } = this;
    if (!pictures) return false;
    const [before, next] = pictures.shown;
    gl.disable(gl.BLEND);
    this.measure(pictures, this.soft && pictures.scene ? pictures.scene : next);
    if (this.soft && pictures.scene) this.follow(pictures, before, pictures.scene, next);
    const { width, height, framebuffer } = next;
    const area = [0, 0, width, height] as const;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, framebuffer);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(...area, ...area, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    pictures.shown.reverse();
    return this.soft;
  }

  private follow({ guard, shares }: Pictures, before: Target, scene: Target, next: Target): void {
    const { gl } = this;
    const { soften } = this.programs;
    const { columns, rows } = guard;
    const values = new Uint8Array(columns * rows);
    guard.shares(this.now, this.elapsed, values);
    gl.bindTexture(gl.TEXTURE_2D, shares);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, columns, rows, gl.RED, gl.UNSIGNED_BYTE, values);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    const textures = { uBefore: before.texture, uPicture: scene.texture, uShares: shares };
    beginPass(gl, soften, next, textures);
    gl.uniform2f(soften.uniform('uSize'), next.width, next.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Starts measuring a picture. */
  private measure({ levels }: Pictures, picture: Target): void {
    const { gl, programs } = this;
    if (this.pending.length >= MAX_PENDING || this.now < this.pannedAt + STEADY) return;
    beginPass(gl, programs.levels, levels, { uPicture: picture.texture });
    gl.uniform2f(programs.levels.uniform('uZones'), levels.width, levels.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    const bytes = levels.width * levels.height * 4;
    const buffer = this.free.pop() ?? gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ);
    gl.readPixels(0, 0, levels.width, levels.height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (fence) this.pending.push({ at: this.now, buffer, fence });
  }

  /** Reads the finished measurements in order. */
  private read({ guard }: Pictures): void {
    const { gl, pending } = this;
    while (pending.length > 0) {
      const [{ at, buffer, fence }] = pending;
      if (gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) return;
      const levels = new Uint8Array(guard.columns * guard.rows * 4);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, levels);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      gl.deleteSync(fence);
      this.free.push(buffer);
      pending.shift();
      guard.measure(levels, at);
    }
  }

  private sized(width: number, height: number, limit: FlashLimit): Pictures {
    const { gl, pictures } = this;
    if (
      pictures?.shown[0].width === width &&
      pictures.shown[0].height === height &&
      pictures.guard.limit === limit
    ) {
      return pictures;
    }
    const longer = Math.max(width, height);
    const columns = Math.max(8, Math.round((ZONES * width) / longer));
    const rows = Math.max(8, Math.round((ZONES * height) / longer));
    const target = () => createTarget(gl, { width, height, format: gl.RGB10_A2 });
    const zones = { width: columns, height: rows };
    this.pictures = {
      shown: [target(), target()],
      scene: undefined,
      levels: createTarget(gl, zones),
      shares: createTexture(gl, { ...zones, format: gl.R8 }),
      guard: new FlashGuard(columns, rows, limit),
    };
    if (pictures) {
      const { guard, shown } = this.pictures;
      guard.takeOver(pictures.guard);
      // Softened pictures follow from what was shown.
      const [before] = pictures.shown;
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, before.framebuffer);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, shown[0].framebuffer);
      const from = [0, 0, before.width, before.height] as const;
      gl.blitFramebuffer(...from, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.LINEAR);
      this.drop(pictures);
    }
    return this.pictures;
  }

  /** Releases all GPU resources. */
  dispose(): void {
    const { gl, free } = this;
    if (this.pictures) this.drop(this.pictures);
    this.pictures = undefined;
    for (const buffer of free.splice(0)) gl.deleteBuffer(buffer);
  }

  private drop({ shown, scene, levels, shares }: Pictures): void {
    const { gl } = this;
    for (const target of [...shown, levels, ...(scene ? [scene] : [])]) deleteTarget(gl, target);
    gl.deleteTexture(shares);
    for (const { buffer, fence } of this.pending.splice(0)) {
      gl.deleteSync(fence);
      this.free.push(buffer);
    }
  }
}
