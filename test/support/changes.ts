/** A guard, not a measure: a wait that nothing ends would otherwise say nothing of where it hangs. */
const PATIENCE = 300_000;

const guards = new Set<NodeJS.Timeout>();

// Some waits are left when their suite ends. Benches have no such hook.
(globalThis as { afterAll?: (act: () => void) => void }).afterAll?.(() => {
  for (const guard of guards) clearTimeout(guard);
});

/** Waits until something is so, which is looked at again after each change. */
export class Changes {
  private readonly looks = new Set<() => void>();

  /** Says so if it has not become so for minutes. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    // Made here, where its stack tells who waits.
    const inVain = new Error(`waiting in vain until ${isSo}`);
    const guard = setTimeout(() => console.error(inVain), PATIENCE);
    guard.unref();
    guards.add(guard);
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(guard);
        guards.delete(guard);
        this.looks.delete(look);
        resolve();
      };
      this.looks.add(look);
    });
  }

  changed(): void {
    for (const look of [...this.looks]) look();
  }
}
