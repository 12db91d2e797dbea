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
