/** Runs calls immediately, or in order once the closed gate opens. */
export class CallGate {
  private until: Promise<unknown> | undefined;

  /** Runs or queues a call. @returns its result, as a promise if it was queued */
  pass<T>(call: () => T | Promise<T>): T | Promise<T> {
    // An earlier call in the queue may close the gate again.
    const retry = (): T | Promise<T> => this.pass(call);
    return this.until ? this.until.then(retry, retry) : call();
  }

  /** Closes the open gate until a promise settles. */
  hold<T>(until: Promise<T>): Promise<T> {
    const open = (): void => {
      this.until = undefined;
    };
    this.until = until;
    until.then(open, open);
    return until;
  }
}
