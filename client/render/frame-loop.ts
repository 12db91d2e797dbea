/** Draws when something has changed and rests when nothing has; browsers pause it for hidden pages. */
export class FrameLoop {
  private handle = 0;
  private ended = false;

  /** @param draw draws one picture; says whether the next will differ */
  constructor(private readonly draw: (now: number) => boolean) {}

  invalidate(): void {
    if (this.handle === 0 && !this.ended)
      this.handle = requestAnimationFrame((now) => this.frame(now));
  }

  stop(): void {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
  }

  /** Nothing is drawn any more, whatever changes. */
  end(): void {
    this.ended = true;
    this.stop();
  }

  private frame(now: number): void {
    this.handle = 0;
    if (this.draw(now)) this.invalidate();
  }
}
