/**
 * A pool of buffers. Batches change from tick to tick and their buffers are large: allocating them
 * each time would make the garbage collector stop the engine once or twice a second.
 */

import { getOrAdd } from '../../platform/collections.ts';

/** Bytes of unused buffers that a pool keeps. */
export const MAX_READY = 32 * 2 ** 20;

/** Float32 buffers, reused by length. */
export class BufferPool {
  /** Unused buffers by length, the least recently requested length first. */
  private readonly ready = new Map<number, Float32Array[]>();
  private bytes = 0;

  /** @param maxReady bytes of unused buffers to keep */
  constructor(private readonly maxReady = MAX_READY) {}

  /** Returns a buffer of this length with arbitrary content. */
  acquire(length: number): Float32Array {
    const sameLength = this.ready.get(length) ?? [];
    this.ready.delete(length);
    this.ready.set(length, sameLength);
    const buffer = sameLength.pop();
    if (!buffer) return new Float32Array(length);
    this.bytes -= buffer.byteLength;
    return buffer;
  }

  /** Returns a buffer to the pool. The caller must not use it afterwards. */
  release(buffer: Float32Array): void {
    if (buffer.byteLength > this.maxReady) return;
    getOrAdd(this.ready, buffer.length, () => []).push(buffer);
    this.bytes += buffer.byteLength;
    if (this.bytes > this.maxReady) this.makeRoom();
  }

  /** Drops buffers of the least recently requested lengths. */
  private makeRoom(): void {
    for (const [length, sameLength] of this.ready) {
      while (this.bytes > this.maxReady && sameLength.length > 0) {
        this.bytes -= sameLength.pop()!.byteLength;
      }
      if (sameLength.length > 0) return;
      this.ready.delete(length);
    }
  }
}
