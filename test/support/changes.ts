/** Waits until something is so, which is looked at again after each change. */
export class Changes {
  private readonly looks = new Set<() => void>();

  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
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
