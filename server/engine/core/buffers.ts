/**
 * Buffers that are used again. Batches change from tick to tick, and what they lie in is large: made anew each time, it would have
 * the garbage collector stop the engine once or twice a second.
 */

/** Bytes that may lie ready. */
const MOST_READY = 32 * 2 ** 20;

export class Buffers {
  private readonly ready = new Map<number, Float32Array[]>();
  private bytes = 0;

  /** @returns so many numbers, of any values */
  lend(length: number): Float32Array {
    const buffer = this.ready.get(length)?.pop();
    if (!buffer) return new Float32Array(length);
    this.bytes -= buffer.byteLength;
    return buffer;
  }

  /** Nobody may look at it from now on. */
  giveBack(buffer: Float32Array): void {
    if (this.bytes + buffer.byteLength > MOST_READY) return;
    this.bytes += buffer.byteLength;
    const alike = this.ready.get(buffer.length);
    if (alike) alike.push(buffer);
    else this.ready.set(buffer.length, [buffer]);
  }
}
