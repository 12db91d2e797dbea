/** Timing of frames: measures ticks, and finds a resolution that this machine can draw in time. */

/** Maximum duration of a tick, in ms. Longer gaps between ticks are pauses and are not measured. */
const LONGEST_TICK = 1_500;

/** Measures the duration of a tick from the arrival of the server's frames. */
export class TickLength {
  /** Mean duration of a tick, in ms. */
  mean = 66;
  private arrivedAt = Number.NEGATIVE_INFINITY;
  private tick = 0;

  /**
   * Records the arrival of a frame from the server. The tick number is needed because a quiet room
   * sends no frame in some ticks.
   *
   * @param now current time, in ms
   */
  arrived(now: number, tick: number): void {
    const length = (now - this.arrivedAt) / Math.max(1, tick - this.tick);
    if (length < LONGEST_TICK) this.mean += (Math.max(16, length) - this.mean) * 0.15;
    this.arrivedAt = now;
    this.tick = tick;
  }
}

/**
 * Mean time between frames at which a machine counts as slow, in ms. Screens with 24, 25 or 30 Hz and
 * phones in power-saving mode stay below it.
 */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const QUICK_FRAME = 25;
const SAMPLE = 24;
/**
 * Total duration of measured frames, in ms, after which the resolution may change even if fewer than
 * `SAMPLE` frames were measured.
 */
const ENOUGH = 1_500;
const LOWER = 0.8;
const MIN_SCALE = 0.45;
const LOWER_MUCH = 0.5;
/** Maximum delay before a higher resolution is tried again, in ms. */
const LONGEST_WAIT = 600_000;

/**
 * Lowers the resolution step by step while frames take too long. If `patience` is finite, tries a
 * higher resolution after that time, and doubles the time after each failed attempt, up to ten
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
  /** Whether the last change of the resolution was an attempt to raise it. */
  private isTrying = false;

  /**
   * @param patience time before a higher resolution is tried, in ms
   * @param pause maximum time between two frames, in ms; a longer gap counts as a pause, not as a slow
   *   frame
   */
  constructor(
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Returns the number of device pixels to draw per CSS pixel. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Declares the time until `now` (ms) a pause, so that it does not count as a slow frame. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /**
   * Records a drawn frame, and adjusts the resolution.
   *
   * @param waited whether the frame had to wait for the GPU. If so, a long gap since the previous
   *   frame counts as a slow frame; otherwise, it counts as a pause
   * @param hasSpare whether the frame contains optional animations. If so, the resolution is not
   *   lowered, because the caller drops the animations first
   */
  frame(now: number, waited = false, hasSpare = false): void {
    // Limit the measured gap to `pause`, because a long wait for the GPU may come from compiling
    // shaders and would raise the mean too much.
    const gap = waited ? Math.min(this.pause, now - this.lastAt) : now - this.lastAt;
    this.lastAt = now;
    if (gap > this.pause) return;
    // The first frame after a pause says nothing about speed, so do not measure it. Still try a
    // higher resolution if one is due; otherwise, frequent pauses would keep the resolution low
    // forever.
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

/** Draws frames while something changes. Browsers stop the loop while the page is hidden. */
export class FrameLoop {
  private handle = 0;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param draw draws one frame, and returns whether the next frame will differ from it */
  constructor(private readonly draw: (now: number) => boolean) {}

  invalidate(): void {
    if (this.handle || this.ended) return;
    this.handle = requestAnimationFrame((now) => {
      this.handle = 0;
      if (this.draw(now)) this.invalidate();
    });
  }

  /** Schedules a frame after a pause, even if nothing has changed. @param pause ms */
  wait(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.invalidate(), pause);
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
   * Maximum number of unfinished frames. Zero until the first frame is finished, because the GPU is
   * still compiling shaders until then.
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
   * Returns whether the next frame must wait because too many frames are unfinished. If the GPU has
   * reported nothing for `PATIENCE` ms, returns false until the GPU reports a finished frame.
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
    // Keep the last fence: its signal will show that the GPU reports finished frames again.
    for (const fence of fences.splice(0, fences.length - 1)) gl.deleteSync(fence);
    this.most = Infinity;
    return false;
  }

  dispose(): void {
    for (const fence of this.fences) this.gl.deleteSync(fence);
  }
}
