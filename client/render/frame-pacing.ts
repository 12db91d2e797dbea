/**
 * Frame timing: how long ticks last, and a resolution that this machine can draw in time.
 */

/** Longer ones are pauses, ms. */
const LONGEST_TICK = 1_500;

/** Measures how long a tick lasts. */
export class TickLength {
  /** ms */
  mean = 66;
  private arrivedAt = Number.NEGATIVE_INFINITY;
  private tick = 0;

  /**
   * A frame has arrived: a room that is quiet sends none in some ticks.
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
 * Frame gap of a slow machine, ms. Screens of 24, 25 and 30 Hz and phones in power-saving mode are
 * not slow.
 */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const QUICK_FRAME = 25;
const SAMPLE = 24;
/** Very slow frames are few; this total time of them is enough to decide, ms. */
const ENOUGH = 1_500;
const LOWER = 0.8;
const MIN_SCALE = 0.45;
const LOWER_MUCH = 0.5;
/** The longest wait before a higher resolution is tried again, ms. */
const LONGEST_WAIT = 600_000;

/**
 * Lowers the resolution step by step while frames take too long. With a finite patience it tries a
 * higher one later, and waits twice as long after each failed attempt, ten minutes at most.
 */
export class Resolution {
  /** Whether the last frames took so little that there is time for more. */
  isQuick = false;
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private changedAt = Number.NEGATIVE_INFINITY;
  /** Whether the last change was an attempt at a higher one. */
  private isTrying = false;

  /**
   * @param patience time before a higher resolution is tried, ms
   * @param pause longer gaps between frames are pauses, not slow frames; ms
   */
  constructor(
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Device pixels per CSS pixel to draw at. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Marks a time without drawing, because nothing had changed. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /**
   * Records a frame.
   *
   * @param waited whether it had to wait for the GPU: then no gap is a pause
   * @returns whether the resolution has just changed
   */
  frame(now: number, waited = false): boolean {
    // The browser may have compiled shaders during a long gap, so it counts like a pause.
    const gap = waited ? Math.min(this.pause, now - this.lastAt) : now - this.lastAt;
    this.lastAt = now;
    if (gap > this.pause) return false;
    // A gap after a rest proves nothing, but must not keep the resolution low forever.
    if (gap <= 0) return this.mayRaise(now) && this.raise(now);
    this.sum += gap;
    this.count++;
    if (this.count < SAMPLE && this.sum < ENOUGH) return false;
    const mean = this.sum / this.count;
    this.sum = this.count = 0;
    this.isQuick = mean < QUICK_FRAME;
    if (mean >= SLOW_FRAME) return this.lower(now, mean < VERY_SLOW_FRAME ? LOWER : LOWER_MUCH);
    return this.mayRaise(now) && this.raise(now);
  }

  private mayRaise(now: number): boolean {
    return this.scale < 1 && now - this.changedAt > this.patience;
  }

  private lower(now: number, share: number): boolean {
    if (this.scale <= MIN_SCALE) return false;
    const hasFailed = this.isTrying && now - this.changedAt < this.patience;
    if (hasFailed) this.patience = Math.min(LONGEST_WAIT, 2 * this.patience);
    this.isTrying = false;
    this.scale = Math.max(MIN_SCALE, this.scale * share);
    this.changedAt = now;
    return true;
  }

  private raise(now: number): boolean {
    this.scale = Math.min(1, this.scale / LOWER);
    this.isTrying = true;
    this.changedAt = now;
    return true;
  }
}

/**
 * Draws when something has changed and stops when nothing has. Browsers pause it in hidden pages.
 */
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

  /** Draws again in a while, even if nothing changes; ms. */
  wait(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.invalidate(), pause);
  }

  /** Stops drawing for good. */
  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.handle);
  }
}

/** How long to wait for the GPU to report a finished picture, ms. */
const PATIENCE = 10_000;

/** The pictures that the GPU has not been seen to finish. */
export class UnfinishedPictures {
  /** One for each picture, in order. */
  private fences: WebGLSync[] = [];
  /** Pictures that the GPU may be behind: none while it still compiles what the first one needs. */
  private most = 0;
  private drawnAt = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {}

  /** Notes that a picture has been drawn. @param now ms */
  add(now: number): void {
    this.drawnAt = now;
    if (this.most === Infinity) return;
    const fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (fence) this.fences.push(fence);
  }

  /**
   * Whether the next picture has to wait. A GPU that does not tell for ten seconds is waited for no
   * more, until it tells.
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
    // The last fence is kept: if it is signalled, the GPU does report.
    for (const fence of fences.splice(0, fences.length - 1)) gl.deleteSync(fence);
    this.most = Infinity;
    return false;
  }

  dispose(): void {
    for (const fence of this.fences) this.gl.deleteSync(fence);
  }
}
