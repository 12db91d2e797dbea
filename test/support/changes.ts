/** A guard, not a measure: a wait that nothing ends would otherwise say nothing of where it hangs. */
const PATIENCE = 300_000;

/** Waits until something is so, which is looked at again after each change. */
export class Changes {
  private readonly looks = new Set<() => void>();

  /** @throws Error it has not become so for minutes */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    // Made here, where its stack tells who waits.
    const never = new Error(`waited in vain until ${isSo}`);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return;
        done();
        resolve();
      };
      const done = (): void => {
        clearTimeout(guard);
        this.looks.delete(look);
      };
      const guard = setTimeout(() => {
        done();
        reject(never);
      }, PATIENCE);
      guard.unref();
      this.looks.add(look);
    });
  }

  changed(): void {
    for (const look of [...this.looks]) look();
  }
}
