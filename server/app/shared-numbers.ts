/** Numbers that several servers give to items, each once. */

/**
 * Reserves numbers for this server.
 *
 * @param list of the items
 * @param above the largest number that is known to be in use
 * @returns the first of them
 * @throws StoreError
 */
export type ReserveNumbers = (list: string, above: number, count: number) => Promise<number>;

/** Numbers reserved at a time. */
const COUNT = 20;

/** Numbers for one list, at hand without waiting. */
export class SharedNumbers {
  private readonly free: number[] = [];
  private largest = 0;
  private reserving: Promise<void> | undefined;

  private constructor(
    private readonly list: string,
    private readonly reserve: ReserveNumbers,
  ) {}

  /** @param known the numbers in use @throws StoreError */
  static async open(
    list: string,
    known: readonly number[],
    reserve: ReserveNumbers,
  ): Promise<SharedNumbers> {
    const numbers = new SharedNumbers(list, reserve);
    numbers.largest = Math.max(0, ...known);
    await numbers.more();
    return numbers;
  }

  /** A number that no server has given. Without the store, it may have to be given again later. */
  next(): number {
    if (this.free.length < COUNT / 2) this.more().catch(() => {});
    const number = this.free.shift() ?? this.largest + 1;
    this.largest = Math.max(this.largest, number);
    return number;
  }

  private more(): Promise<void> {
    this.reserving ??= this.reserve(this.list, this.largest, COUNT)
      .then((first) => {
        for (let i = 0; i < COUNT; i++) this.free.push(first + i);
      })
      .finally(() => {
        this.reserving = undefined;
      });
    return this.reserving;
  }
}
