/** Draws when something has changed and rests when nothing has; browsers pause it for hidden pages. */
export class Loop {
  private handle = 0;

  /** @param draw draws one picture; says whether the next will differ */
  constructor(private readonly draw: (now: number) => boolean) {}

  invalidate(): void {
    if (this.handle === 0) this.handle = requestAnimationFrame((now) => this.frame(now));
  }

  stop(): void {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
  }

  private frame(now: number): void {
    this.handle = 0;
    if (this.draw(now)) this.invalidate();
  }
}
