/** Buffers for the work and the answers of a call, reused by later calls. */

/** The buffers of one call. */
export class ReadbackBuffer {
  /** Describes the work; written by the CPU and read by kernels. */
  readonly work: GPUBuffer;
  /** Holds the answers; written by kernels. */
  readonly answers: GPUBuffer;
  private readonly mappable: GPUBuffer;

  constructor(
    private readonly device: GPUDevice,
    readonly workBytes: number,
    readonly answerBytes: number,
  ) {
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    this.work = device.createBuffer({ size: workBytes, usage: STORAGE | COPY_DST });
    const usage = STORAGE | COPY_SRC | COPY_DST;
    this.answers = device.createBuffer({ size: answerBytes, usage });
    this.mappable = device.createBuffer({ size: answerBytes, usage: MAP_READ | COPY_DST });
  }

  /** Whether the buffers have at least these sizes. */
  fits(workBytes: number, answerBytes: number): boolean {
    return this.workBytes >= workBytes && this.answerBytes >= answerBytes;
  }

  /** Submits the encoded commands and, when the answers arrive, reads their first `bytes`. */
  async send<T>(
    encoder: GPUCommandEncoder,
    bytes: number,
    read: (answers: ArrayBuffer) => T,
  ): Promise<T> {
    encoder.copyBufferToBuffer(this.answers, 0, this.mappable, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    return readMapped(this.mappable, bytes, read);
  }

  destroy(): void {
    for (const buffer of [this.work, this.answers, this.mappable]) buffer.destroy();
  }
}

/** Maps a buffer and reads it. @param read must not keep a view of the mapped bytes */
export async function readMapped<T>(
  buffer: GPUBuffer,
  bytes: number,
  read: (mapped: ArrayBuffer) => T,
): Promise<T> {
  await buffer.mapAsync(GPUMapMode.READ, 0, bytes);
  try {
    return read(buffer.getMappedRange(0, bytes));
  } finally {
    buffer.unmap();
  }
}

/** Maximum number of idle buffers in addition to the preallocated ones. */
const MAX_IDLE = 2;
/** Number of preallocated buffers. One is filled while the other is being read. */
const PREALLOCATED = 2;

export class ReadbackBuffers {
  /** Idle buffers, smallest first. */
  private readonly idle: ReadbackBuffer[] = [];
  /** Buffers of equal size, idle or in use, each large enough for any call. */
  private preallocated: readonly ReadbackBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /**
   * Returns buffers of at least these sizes. The caller releases them after reading the answers.
   */
  acquire(workBytes: number, answerBytes: number): ReadbackBuffer {
    const at = this.idle.findIndex((buffers) => buffers.fits(workBytes, answerBytes));
    return at >= 0 ? this.idle.splice(at, 1)[0] : this.create(workBytes, answerBytes);
  }

  /**
   * Allocates buffers of at least these sizes, unless the preallocated ones are large enough.
   *
   * @returns new buffers, which the caller passes to `keep` or destroys; undefined if none are
   * needed
   */
  preallocate(workBytes: number, answerBytes: number): ReadbackBuffer[] | undefined {
    const [one] = this.preallocated;
    if (one?.fits(workBytes, answerBytes)) return undefined;
    return Array.from({ length: PREALLOCATED }, () => this.create(workBytes, answerBytes));
  }

  /** Replaces the preallocated buffers. */
  keep(buffers: readonly ReadbackBuffer[]): void {
    this.preallocated = buffers;
    for (const one of buffers) this.release(one);
  }

  /** Returns buffers to the pool and destroys surplus ones. */
  release(buffers: ReadbackBuffer): void {
    this.idle.push(buffers);
    this.idle.sort((a, b) => a.answerBytes - b.answerBytes || a.workBytes - b.workBytes);
    const others = this.idle.filter((one) => !this.preallocated.includes(one));
    for (const surplus of others.slice(0, -MAX_IDLE)) {
      this.idle.splice(this.idle.indexOf(surplus), 1);
      surplus.destroy();
    }
  }

  destroy(): void {
    for (const buffers of this.idle.splice(0)) buffers.destroy();
  }

  private create(workBytes: number, answerBytes: number): ReadbackBuffer {
    return new ReadbackBuffer(this.device, roomFor(workBytes), roomFor(answerBytes));
  }
}

/** Rounds up to a power of two, so that calls of similar size can use the same buffers. */
const roomFor = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
