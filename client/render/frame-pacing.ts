/**
 * Measures the duration of ticks, and finds a resolution at which this machine draws frames in
 * time.
 */

/** If the time between two ticks is longer than this, in ms, the room has paused. */
const LONGEST_TICK = 1_500;

/** Measures the duration of a tick from the arrival of the server's frames. */
export class TickLength {
  /** Mean duration of a tick, in ms. */
  mean = 66;
  private arrivedAt = Number.NEGATIVE_INFINITY;
  private tick = 0;

  /**
   * Records the arrival of a frame from the server.
   *
   * @param now current time, in ms
   * @param tick the frame's tick; the server sends no frame for a tick without changes
   */
  arrived(now: number, tick: number): void {
    const length = (now - this.arrivedAt) / Math.max(1, tick - this.tick);
    if (length < LONGEST_TICK) this.mean += (Math.max(16, length) - this.mean) * 0.15;
    this.arrivedAt = now;
    this.tick = tick;
  }
}

/**
 * If the mean time between frames is at least this long, in ms, the resolution is lowered. A screen
 * with 24 Hz needs only 42 ms, so it does not count as slow.
 */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const QUICK_FRAME = 25;
const SAMPLE = 24;
/**
 * The resolution is reconsidered after `SAMPLE` frames, or earlier if the frames together have
 * taken this long, in ms.
 */
const ENOUGH = 1_500;
const LOWER = 0.8;
const MIN_SCALE = 0.45;
const LOWER_MUCH = 0.5;
/** Maximum time before a higher resolution is tried, in ms. */
const LONGEST_WAIT = 600_000;

/**
 * Chooses the resolution of frames. Lowers the resolution while frames take too long. Otherwise,
 * tries a higher resolution after `patience` ms. Each failed attempt doubles `patience`, up to ten
 * minutes.
 */
export class Resolution {
  /** Whether recent frames were quick enough to draw optional animations. */
  isQuick = false;
  /** Whether recent frames were drawn in time. */
  isSteady = false;
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private changedAt = Number.NEGATIVE_INFINITY;
  private isTrying = false;

  /**
   * @param patience time from a change of the resolution until a higher resolution is tried, in ms;
   *   if infinite, no higher resolution is tried
   * @param pause maximum gap between two frames, in ms; a longer gap counts as a pause, not as a
   *   slow frame
   */
  constructor(
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Returns the number of device pixels to draw per CSS pixel. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Counts the time until `now` (in ms) as a pause, not as a slow frame. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /**
   * Records that a frame has been drawn, and adjusts the resolution.
   *
   * @param waited whether the frame had to wait for the GPU. If not, a long gap before the frame
   *   counts as a pause, not as a slow frame
   * @param hasSpare whether the frame contains optional animations. If so, the resolution is not
   *   lowered, because the caller turns off the animations first
   */
  frame(now: number, waited = false, hasSpare = false): void {
    // A frame may wait very long while the GPU compiles shaders. Count such a wait as at most
    // `pause`.
    const gap = waited ? Math.min(this.pause, now - this.lastAt) : now - this.lastAt;
    this.lastAt = now;
    if (gap > this.pause) return;
    // After a call of `rest`, the gap does not show how long drawing takes, so do not measure the
    // gap. But try a higher resolution if `patience` ms have passed: if pauses are frequent, there
    // may be no other chance.
    if (gap <= 0) {
      this.raise(now);
      return;
    }
    this.sum += gap;
    this.count++;
    if (this.count < SAMPLE && this.sum < ENOUGH) return;
    const mean = this.sum / this.count;
    this.sum = this.count = 0;
    this.isQuick = mean < QUICK_FRAME;
    this.isSteady = mean < SLOW_FRAME;
    if (this.isSteady) this.raise(now);
    else if (!hasSpare) this.lower(now, mean < VERY_SLOW_FRAME ? LOWER : LOWER_MUCH);
  }

  private lower(now: number, share: number): void {
    if (this.scale <= MIN_SCALE) return;
    const hasFailed = this.isTrying && now - this.changedAt < this.patience;
    if (hasFailed) this.patience = Math.min(LONGEST_WAIT, 2 * this.patience);
    this.isTrying = false;
    this.scale = Math.max(MIN_SCALE, this.scale * share);
    this.changedAt = now;
  }

  private raise(now: number): void {
    if (this.scale === 1 || now - this.changedAt <= this.patience) return;
    this.scale = Math.min(1, this.scale / LOWER);
    this.isTrying = true;
    this.changedAt = now;
  }
}

/** Draws frame after frame while the picture changes and the page is visible. */
export class FrameLoop {
  private handle = 0;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param draw draws a frame, and returns whether the next frame will differ from it */
  constructor(private readonly draw: (now: number) => boolean) {}

  readonly invalidate = (): void => {
    if (this.handle || this.ended) return;
    this.handle = requestAnimationFrame((now) => {
      this.handle = 0;
      if (this.draw(now)) this.invalidate();
    });
  };

  /**
   * Schedules a frame, even if nothing changes.
   *
   * @param pause time until the frame, in ms
   */
  wait(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.invalidate, pause);
  }

  /** Stops drawing permanently. */
  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.handle);
  }
}

/** How long to wait for the GPU to report that a frame is finished, in ms. */
const PATIENCE = 10_000;

/** Tracks the frames that the GPU has not yet reported as finished. */
export class UnfinishedPictures {
  /** One fence per unfinished frame, oldest first. */
  private fences: WebGLSync[] = [];
  /**
   * Maximum number of unfinished frames; if there are more, the next frame waits. 0 until the GPU
   * has finished its first frame, because it compiles shaders until then. Infinity while the GPU
   * reports nothing.
   */
  private most = 0;
  private drawnAt = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {}

  /** Records that a frame has been drawn. @param now current time, in ms */
  add(now: number): void {
    this.drawnAt = now;
    if (this.most === Infinity) return;
    const fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (fence) this.fences.push(fence);
  }

  /**
   * Returns whether the next frame must wait, because too many frames are unfinished. If the GPU
   * has reported nothing for `PATIENCE` ms, returns false until its next report.
   *
   * @param now current time, in ms
   */
  isMany(now: number): boolean {
    const { gl, fences } = this;
    while (fences.length > 0 && gl.getSyncParameter(fences[0], gl.SYNC_STATUS) === gl.SIGNALED) {
      gl.deleteSync(fences.shift()!);
      this.most = 1;
    }
    if (fences.length <= this.most || gl.isContextLost()) return false;
    if (now < this.drawnAt + PATIENCE) return true;
    // Stop waiting, but keep the last fence. When the GPU signals it, new frames wait again until
    // the GPU has finished earlier frames.
    for (const fence of fences.splice(0, fences.length - 1)) gl.deleteSync(fence);
    this.most = Infinity;
    return false;
  }

  dispose(): void {
    for (const fence of this.fences) this.gl.deleteSync(fence);
  }
}
