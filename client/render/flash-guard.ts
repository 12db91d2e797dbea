/**
 * Detects flashes in the frames that a page is about to show, and decides which parts of the screen
 * must change more slowly (are softened).
 *
 * A flash is a rise followed by a fall, or a fall followed by a rise, of luminance or of saturated
 * red (WCAG 2.3.1). WCAG allows at most three flashes per second if they cover more than a quarter
 * of any ten degrees of the visual field. The viewer's distance is unknown, so the guard checks
 * parts of the picture (windows) of several sizes.
 *
 * Each window consists of zones. The guard is stricter than WCAG: a zone counts as flashing at half
 * the allowed number of flashes per second. Flashing zones are softened if they cover more than an
 * eighth of a window.
 */
import type { FlashLimit } from '../../shared/vocabulary.ts';
import type { Size } from './camera.ts';
import {
  beginPass,
  createTarget,
  createTexture,
  deleteTarget,
  type Programs,
  type Target,
} from './gl.ts';

/** Minimum changes of luminance and of red that count. WCAG uses 0.1 and 20/320. */
const LUMINANCE_STEP = 0.08;
const RED_STEP = 0.05;
/** A change of luminance counts only if the lower luminance is below this value, as in WCAG. */
const BRIGHT = 0.8;
/** Length of the period in which alternating rises and falls are counted, in ms. */
const SECOND = 1_000;
/**
 * Flashing zones are softened if they cover more than this share of a window (a part of the
 * picture, see `WINDOWS`). WCAG allows a quarter.
 */
const SHARE = 0.125;
/** Sizes of the windows, as shares of the picture's width and height. */
const WINDOWS = [1, 1 / 3, 1 / 5];
/**
 * After the last detected flash, a zone remains softened for `HOLD` ms. The softening then fades
 * out over `RELEASE` ms.
 */
export const HOLD = 1_200;
export const RELEASE = 1_000;

/** For each zone, detects when a level (luminance or red) changes direction. */
class Turns {
  private readonly low: Float32Array;
  private readonly high: Float32Array;
  private readonly rising: Int8Array;

  constructor(
    zones: number,
    private readonly step: number,
    private readonly bright: number,
  ) {
    this.low = new Float32Array(zones).fill(Number.NaN);
    this.high = new Float32Array(zones).fill(Number.NaN);
    this.rising = new Int8Array(zones);
  }

  /** Forgets all levels measured so far. */
  forget(): void {
    this.low.fill(Number.NaN);
    this.high.fill(Number.NaN);
    this.rising.fill(0);
  }

  /**
   * Records the level of a zone.
   *
   * @returns whether the level has just changed direction by enough to count: risen after a fall,
   *   or fallen after a rise. The first rise or fall counts too
   */
  turned(zone: number, level: number): boolean {
    const { low, high, rising, step, bright } = this;
    if (Number.isNaN(low[zone])) {
      low[zone] = high[zone] = level;
      return false;
    }
    const fell = high[zone] - level >= step && level < bright;
    const rose = level - low[zone] >= step && low[zone] < bright;
    if (rising[zone] >= 0 && fell) {
      rising[zone] = -1;
      low[zone] = level;
      return true;
    }
    if (rising[zone] <= 0 && rose) {
      rising[zone] = 1;
      high[zone] = level;
      return true;
    }
    if (rising[zone] >= 0) high[zone] = Math.max(high[zone], level);
    if (rising[zone] <= 0) low[zone] = Math.min(low[zone], level);
    return false;
  }
}

/** Counts the flashes in each zone, and computes how strongly each zone must be softened. */
export class FlashGuard {
  private readonly luminance: Turns;
  private readonly red: Turns;
  /**
   * Times in ms of the last `limit` alternating rises and falls of luminance or red in each zone:
   * [zones, limit], one ring buffer per zone.
   */
  private readonly changes: Float64Array;
  private readonly next: Uint8Array;
  private readonly softUntil: Float64Array;
  private readonly sums: Uint32Array;
  private latest = Number.NEGATIVE_INFINITY;
  /**
   * Time constant with which a softened zone on screen approaches the new picture, in ms. Long
   * enough to damp flashes: at more than `limit` per second, they change the relative luminance on
   * screen by less than 0.1.
   */
  private readonly lag: number;

  /**
   * Divides a picture into `columns` × `rows` zones, numbered row by row from the top left.
   *
   * @param limit maximum number of flashes per second. A flash is one rise and one fall. But
   *   measurements arrive late, so a zone already counts as flashing after `limit` alternating
   *   rises and falls in a second
   */
  constructor(
    readonly columns: number,
    readonly rows: number,
    readonly limit: FlashLimit,
  ) {
    const zones = columns * rows;
    this.lag = limit === 2 ? 1_250 : 1_000;
    this.luminance = new Turns(zones, LUMINANCE_STEP, BRIGHT);
    this.red = new Turns(zones, RED_STEP, Number.POSITIVE_INFINITY);
    this.changes = new Float64Array(zones * limit).fill(Number.NEGATIVE_INFINITY);
    this.next = new Uint8Array(zones);
    this.softUntil = new Float64Array(zones).fill(Number.NEGATIVE_INFINITY);
    this.sums = new Uint32Array((columns + 1) * (rows + 1));
  }

  /**
   * Returns whether any zone is softened.
   *
   * @param now current time, in ms
   */
  isSoft(now: number): boolean {
    return now < this.latest + HOLD + RELEASE;
  }

  /** Takes over the state of an earlier guard, which had another picture size or another limit. */
  takeOver(from: FlashGuard): void {
    const { columns, rows, limit } = this;
    this.latest = from.latest;
    for (let zone = 0; zone < columns * rows; zone++) {
      const x = Math.floor(((zone % columns) / columns) * from.columns);
      const y = Math.floor((Math.floor(zone / columns) / rows) * from.rows);
      const other = y * from.columns + x;
      this.softUntil[zone] = from.softUntil[other];
      const times = from.changes.slice(other * from.limit, (other + 1) * from.limit).sort();
      const latest = times.slice(-limit);
      this.changes.set(latest, (zone + 1) * limit - latest.length);
    }
  }

  /** Forgets the measured levels, because the camera has moved. */
  forget(): void {
    this.luminance.forget();
    this.red.forget();
  }

  /**
   * Records the levels of a frame, measured before the frame is softened.
   *
   * @param levels four values per zone, each from 0 to 255: luminance; R − G − B if the red is
   *   saturated, otherwise 0; two unused values
   * @param now time at which the frame was drawn, in ms
   */
  measure(levels: Uint8Array, now: number): void {
    const { columns, rows, limit, changes, next } = this;
    let any = false;
    const flashing = new Uint8Array(columns * rows);
    for (let zone = 0; zone < flashing.length; zone++) {
      const base = zone * limit;
      // Always make both calls, because each call stores the zone's level.
      const byLight = this.luminance.turned(zone, levels[4 * zone] / 255);
      const byRed = this.red.turned(zone, levels[4 * zone + 1] / 255);
      if (byLight || byRed) {
        changes[base + next[zone]] = now;
        next[zone] = (next[zone] + 1) % limit;
      }
      // The next slot holds the oldest of the last `limit` rises and falls. If even the oldest was
      // less than a second ago, the zone flashes.
      if (now - changes[base + next[zone]] < SECOND) {
        flashing[zone] = 1;
        any = true;
      }
    }
    if (any) this.soften(flashing, now);
  }

  /**
   * Computes how much of the new frame each zone mixes into the frame on screen.
   *
   * @param elapsed time since the previous frame, in ms
   * @param into array for the results, [rows × columns], from 1 (almost no change) to 255 (only the
   *   new frame)
   */
  shares(now: number, elapsed: number, into: Uint8Array): void {
    for (let zone = 0; zone < into.length; zone++) {
      const since = now - this.softUntil[zone];
      const soft = since < 0 ? 1 : Math.max(0, 1 - since / RELEASE);
      // Square `soft`, so that softening ends gradually.
      const lag = this.lag * soft * soft;
      const share = lag < 1 ? 1 : 1 - Math.exp(-elapsed / lag);
      into[zone] = Math.max(1, Math.round(255 * share));
    }
  }

  /**
   * Looks for windows (parts of the picture) in which too many zones flash, and softens the
   * flashing zones of these windows. Also softens the zones beside them, into which a flash may
   * extend undetected.
   */
  private soften(flashing: Uint8Array, now: number): void {
    const { columns, rows } = this;
    this.count(flashing);
    const within = new Uint8Array(flashing.length);
    for (const side of WINDOWS) {
      const width = Math.max(1, Math.round(columns * side));
      const height = Math.max(1, Math.round(rows * side));
      for (let y = 0; y + height <= rows; y++) {
        for (let x = 0; x + width <= columns; x++) {
          if (this.counted(x, y, width, height) <= SHARE * width * height) continue;
          this.latest = now;
          for (let j = y; j < y + height; j++) {
            within.fill(1, j * columns + x, j * columns + x + width);
          }
        }
      }
    }
    for (let zone = 0; zone < flashing.length; zone++) {
      if (!flashing[zone] || !within[zone]) continue;
      const [x, y] = [zone % columns, Math.floor(zone / columns)];
      for (let j = Math.max(0, y - 1); j <= Math.min(rows - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(columns - 1, x + 1); i++) {
          this.softUntil[j * columns + i] = now + HOLD;
        }
      }
    }
  }

  private count(flashing: Uint8Array): void {
    const { columns, rows, sums } = this;
    for (let y = 0; y < rows; y++) {
      for (let x = 0, line = 0; x < columns; x++) {
        line += flashing[y * columns + x];
        sums[(y + 1) * (columns + 1) + x + 1] = sums[y * (columns + 1) + x + 1] + line;
      }
    }
  }

  private counted(x: number, y: number, width: number, height: number): number {
    const { sums, columns } = this;
    const [top, low] = [y * (columns + 1) + x, (y + height) * (columns + 1) + x];
    return sums[low + width] - sums[top + width] - sums[low] + sums[top];
  }
}

const ZONES = 64;
/** How long the camera must have stood still before frames are measured again, in ms. */
const STEADY = 250;
/** Maximum number of measurements in progress on the GPU. */
const MAX_PENDING = 3;

interface Reading {
  readonly at: number;
  readonly buffer: WebGLBuffer;
  readonly fence: WebGLSync;
}

/** Objects that are created again when the size of the screen or the flash limit changes. */
interface Pictures {
  readonly shown: [Target, Target];
  /** Holds the frame before softening; undefined until first needed. */
  scene: Target | undefined;
  readonly levels: Target;
  readonly shares: WebGLTexture;
  readonly guard: FlashGuard;
}

/** Measures each frame before it is shown, and softens frames that would make the screen flash. */
export class FlashSafeScreen {
  private pictures: Pictures | undefined;
  private readonly free: WebGLBuffer[] = [];
  private pending: Reading[] = [];
  private now = 0;
  private elapsed = 0;
  private soft = false;
  private readonly format: GLenum;
  private pannedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly programs: Pick<Programs, 'levels' | 'soften'>,
    isClear = false,
  ) {
    this.format = isClear ? gl.RGBA8 : gl.RGB10_A2;
  }

  /**
   * Begins a frame.
   *
   * @param now current time, in ms
   * @param limit maximum number of flashes per second
   * @param panned whether the camera has moved since the previous frame
   * @returns the framebuffer into which the frame must be drawn
   */
  begin({ width, height }: Size, now: number, limit: FlashLimit, panned: boolean) {
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
    pictures.scene ??= createTarget(this.gl, { width, height, format: this.format });
    return pictures.scene.framebuffer;
  }

  /** Shows the finished frame. @returns whether any part of the frame is softened */
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

  /** Reads all measurements that the GPU has finished, oldest first. */
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
    const target = () => createTarget(gl, { width, height, format: this.format });
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
      // Softening needs the picture on screen. Copy this picture to the new textures, scaled to the
      // new size.
      const [before] = pictures.shown;
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, before.framebuffer);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, shown[0].framebuffer);
      const from = [0, 0, before.width, before.height] as const;
      gl.blitFramebuffer(...from, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.LINEAR);
      this.drop(pictures);
    }
    return this.pictures;
  }

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
