/** Lets calls through at once, in the order they are made; while it is shut, they wait, and keep that order. */
export class CallGate {
  private shut = false;
  private readonly waiting: (() => void)[] = [];

  /** @returns what the call returns, or promises it where the call has to wait */
  pass<T>(call: () => T | Promise<T>): T | Promise<T> {
    if (!this.shut) return call();
    return new Promise<T>((resolve, reject) => {
      this.waiting.push(() => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Shuts the gate, which is open, until something has ended; that is then the first to go through. */
  async hold<T>(until: Promise<T>): Promise<T> {
    this.shut = true;
    try {
      return await until;
    } finally {
      this.shut = false;
      // One of those that waited may shut it again.
      while (!this.shut && this.waiting.length > 0) this.waiting.shift()!();
    }
  }
}
