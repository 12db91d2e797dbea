/** How far the GPU is behind with the pictures of a canvas. */

/** A GPU that has not told for so long that a picture is finished will not tell; ms. */
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
    // The last one is kept: when it is finished, the GPU tells after all.
    for (const fence of fences.splice(0, fences.length - 1)) gl.deleteSync(fence);
    this.most = Infinity;
    return false;
  }

  dispose(): void {
    for (const fence of this.fences) this.gl.deleteSync(fence);
  }
}
