/** A typed set of event listeners. */
export class Listeners<Events extends { [K in keyof Events]: unknown }> {
  private readonly sets = new Map<keyof Events, Set<(event: never) => void>>();

  /**
   * Adds a listener.
   *
   * @returns a function that removes it
   */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const set = this.sets.get(name) ?? new Set();
    this.sets.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const listener of this.sets.get(name) ?? []) {
      (listener as (event: Events[K]) => void)(event);
    }
  }
}
