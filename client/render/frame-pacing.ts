/** Frame timing: measures ticks, and finds a resolution that this machine can draw in time. */

/** Maximum length of a tick, in ms. Longer gaps are pauses. */
const LONGEST_TICK = 1_500;

/** Measures how long a tick lasts. */
export class TickLength {
  /** Mean length of a tick, in ms. */
  mean = 66;
  private arrivedAt = Number.NEGATIVE_INFINITY;
  private tick = 0;

  /**
   * Records that a frame has arrived. A quiet room sends no frame in some ticks, so the tick number
   * is needed.
   *
   * @param now ms
   */
  arrived(now: number, tick: number): void {
    const length = (now - this.arrivedAt) / Math.max(1, tick - this.tick);
    if (length < LONGEST_TICK) this.mean += (Math.max(16, length) - this.mean) * 0.15;
    this.arrivedAt = now;
    this.tick = tick;
  }
}

/**
 * A machine counts as slow if the mean gap between its frames reaches this, in ms. Screens of 24,
 * 25 and 30 Hz and phones in power-saving mode stay below it.
 */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const QUICK_FRAME = 25;
const SAMPLE = 24;
/**
 * Total duration of measured frames, in ms, at which a decision is made even before there are
 * `SAMPLE` frames.
 */
const ENOUGH = 1_500;
const LOWER = 0.8;
const MIN_SCALE = 0.45;
const LOWER_MUCH = 0.5;
/** Maximum delay before a higher resolution is tried again, in ms. */
const LONGEST_WAIT = 600_000;

/**
 * Lowers the resolution step by step while frames take too long. With a finite patience it tries a
 * higher resolution later, and doubles the wait after each failed attempt, up to ten minutes.
 */
export class Resolution {
  /** Whether the last frames were quick enough to draw more. */
  isQuick = false;
  /** Whether the last frames were in time. */
  isSteady = false;
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private changedAt = Number.NEGATIVE_INFINITY;
  /** Whether the last change tried a higher resolution. */
  private isTrying = false;

  /**
   * @param patience time before a higher resolution is tried, ms
   * @param pause maximum gap between frames, ms; a longer gap is a pause, not a slow frame
   */
  constructor(
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Returns the number of device pixels to draw per CSS pixel. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Marks the time until `now` as a rest, so that it does not count as a slow frame. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /**
   * Records a frame.
   *
   * @param waited whether the frame had to wait for the GPU; a long gap is then not a pause
   * @param hasSpare whether the picture contains something optional, which the caller drops before
   *   the resolution is lowered
   */
  frame(now: number, waited = false, hasSpare = false): void {
    // A long gap may come from compiling shaders, so limit it to the length of a pause.
    const gap = waited ? Math.min(this.pause, now - this.lastAt) : now - this.lastAt;
    this.lastAt = now;
    if (gap > this.pause) return;
    // A gap right after a rest says nothing about speed. Still raise the resolution if it is due,
    // because otherwise frequent rests would keep it low forever.
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

/** Draws while something changes. Browsers pause the loop in hidden pages. */
export class FrameLoop {
  private handle = 0;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param draw draws one picture and returns whether the next one will differ */
  constructor(private readonly draw: (now: number) => boolean) {}

  invalidate(): void {
    if (this.handle || this.ended) return;
    this.handle = requestAnimationFrame((now) => {
      this.handle = 0;
      if (this.draw(now)) this.invalidate();
    });
  }

  /** Draws again after a pause, in ms, even if nothing changes. */
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

/** How long to wait for the GPU to report a finished picture, ms. */
const PATIENCE = 10_000;

/** Tracks pictures that the GPU has not reported as finished. */
export class UnfinishedPictures {
  /** One fence per unfinished picture, oldest first. */
  private fences: WebGLSync[] = [];
  /**
   * Maximum number of unfinished pictures. 0 until the first picture is finished, because the GPU
   * still compiles shaders for it.
   */
  private most = 0;
  private drawnAt = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {}

  /** Records that a picture has been drawn. @param now ms */
  add(now: number): void {
    this.drawnAt = now;
    if (this.most === Infinity) return;
    const fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (fence) this.fences.push(fence);
  }

  /**
   * Returns whether the next picture has to wait. If the GPU has reported nothing for ten seconds,
   * returns false until the GPU reports again.
   *
   * @param now ms
   */
  isMany(now: number): boolean {
    const { gl, fences } = this;
    while (fences.length > 0 && gl.getSyncParameter(fences[0], gl.SYNC_STATUS) === gl.SIGNALED) {
      gl.deleteSync(fences.shift()!);
      this.most = 1;
    }
    if (fences.length <= this.most || gl.isContextLost()) return false;
    if (now < this.drawnAt + PATIENCE) return true;
    // Keep the last fence, because its signal will show that the GPU reports again.
    for (const fence of fences.splice(0, fences.length - 1)) gl.deleteSync(fence);
    this.most = Infinity;
    return false;
  }

  dispose(): void {
    for (const fence of this.fences) this.gl.deleteSync(fence);
  }
}
