/**
 * Buffers that are used again. Batches change from tick to tick, and what they lie in is large: made anew each time, it would have
 * the garbage collector stop the engine once or twice a second.
 */

/** Bytes that may lie ready. */
const MOST_READY = 32 * 2 ** 20;

export class BufferPool {
  /** By their lengths; those that nobody has asked for for longest come first. */
  private readonly ready = new Map<number, Float32Array[]>();
  private bytes = 0;

  /** @param mostReady bytes that may lie ready */
  constructor(private readonly mostReady = MOST_READY) {}

  /** @returns so many numbers, of any values */
  acquire(length: number): Float32Array {
    const alike = this.ready.get(length) ?? [];
    this.ready.delete(length);
    this.ready.set(length, alike);
    const buffer = alike.pop();
    if (!buffer) return new Float32Array(length);
    this.bytes -= buffer.byteLength;
    return buffer;
  }

  /** Nobody may look at it from now on. */
  release(buffer: Float32Array): void {
    if (buffer.byteLength > this.mostReady) return;
    const alike = this.ready.get(buffer.length);
    if (alike) alike.push(buffer);
    else this.ready.set(buffer.length, [buffer]);
    this.bytes += buffer.byteLength;
    if (this.bytes > this.mostReady) this.makeRoom();
  }

  /** What is not asked for any more must not keep out what is. */
  private makeRoom(): void {
    for (const [length, alike] of this.ready) {
      while (this.bytes > this.mostReady && alike.length > 0) {
        this.bytes -= alike.pop()!.byteLength;
      }
      if (alike.length > 0) return;
      this.ready.delete(length);
    }
  }
}
