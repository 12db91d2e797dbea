/**
 * Draws when something has changed and stops when nothing has. Browsers pause it in hidden pages.
 */
export class FrameLoop {
  private handle = 0;
  private ended = false;

  /** @param draw draws one picture and returns whether the next one will differ */
  constructor(private readonly draw: (now: number) => boolean) {}

  invalidate(): void {
    if (this.handle === 0 && !this.ended)
      this.handle = requestAnimationFrame((now) => this.frame(now));
  }

  stop(): void {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
  }

  /** Stops drawing for good. */
  end(): void {
    this.ended = true;
    this.stop();
  }

  private frame(now: number): void {
    this.handle = 0;
    if (this.draw(now)) this.invalidate();
  }
}
