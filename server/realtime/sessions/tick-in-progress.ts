/**
 * Whether a room is in a tick. It then holds changes that are not stored yet and that its clients
 * have yet to be told, so nobody is welcomed until the tick ends.
 */
export class TickInProgress {
  /** Resolves when the tick ends; undefined between ticks. */
  ended: Promise<void> | undefined;
  private resolve = (): void => {};

  begin(): void {
    this.end();
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** Ends the tick, even one that failed. Does nothing between ticks. */
  end(): void {
    this.ended = undefined;
    this.resolve();
  }
}
