/** Runs calls immediately, or queues them in order while the gate is closed. */
export class CallGate {
  private closed = false;
  private readonly queue: (() => void)[] = [];

  /** Runs or queues a call. @returns its result, as a promise if it was queued */
  pass<T>(call: () => T | Promise<T>): T | Promise<T> {
    if (!this.closed) return call();
    return new Promise<T>((resolve, reject) => {
      this.queue.push(() => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Closes the open gate until a promise settles, then runs the queued calls. */
  async hold<T>(until: Promise<T>): Promise<T> {
    this.closed = true;
    try {
      return await until;
    } finally {
      this.closed = false;
      // A queued call may close the gate again.
      while (!this.closed && this.queue.length > 0) this.queue.shift()!();
    }
  }
}
