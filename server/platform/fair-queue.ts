/** A bounded queue that serves its sources in turn, such as the network addresses of requests. */

/** Entries wait in order per source. A source that fills the queue makes room for others. */
export class FairQueue<T> {
  /** By source; the next one to be served first. */
  private readonly sources = new Map<string, T[]>();
  private count = 0;

  /** @param most entries that can wait; at least 1 */
  constructor(private readonly most: number) {}

  /** Number of waiting entries. */
  get size(): number {
    return this.count;
  }

  /**
   * Adds an entry. If the queue is full, the newest entry of the source with most of them is
   * dropped, which may be this entry.
   *
   * @returns the dropped entry; undefined if none was
   */
  add(source: string, entry: T): T | undefined {
    const own = this.sources.get(source) ?? [];
    own.push(entry);
    this.sources.set(source, own);
    this.count++;
    if (this.count <= this.most) return undefined;
    // Of sources that are equally long, the one that adds.
    let [longestSource, longest] = [source, own];
    for (const [other, entries] of this.sources) {
      if (entries.length > longest.length) [longestSource, longest] = [other, entries];
    }
    return this.remove(longestSource, longest, () => longest.pop()!);
  }

  /** Takes the next entry of the source whose turn it is; undefined if none waits. */
  take(): T | undefined {
    const [next] = this.sources;
    if (!next) return undefined;
    const [source, entries] = next;
    this.sources.delete(source);
    this.sources.set(source, entries);
    return this.remove(source, entries, () => entries.shift()!);
  }

  /** Takes all entries. */
  clear(): T[] {
    const all = [...this.sources.values()].flat();
    this.sources.clear();
    this.count = 0;
    return all;
  }

  private remove(source: string, entries: readonly T[], take: () => T): T {
    const entry = take();
    this.count--;
    if (entries.length === 0) this.sources.delete(source);
    return entry;
  }
}
