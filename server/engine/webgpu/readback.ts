/**
 * Brings what kernels answer back to the CPU. Each call has a mailbox of its own, and the next one may be submitted, with
 * another mailbox, while the last one's is still on its way.
 */

export class ReadbackBuffer {
  /** What the call asks: written by the CPU, read by kernels. */
  readonly work: GPUBuffer;
  /** What kernels answer. */
  readonly answers: GPUBuffer;
  private readonly arrived: GPUBuffer;

  constructor(
    private readonly device: GPUDevice,
    readonly workBytes: number,
    readonly answerBytes: number,
  ) {
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    this.work = device.createBuffer({ size: workBytes, usage: STORAGE | COPY_DST });
    this.answers = device.createBuffer({
      size: answerBytes,
      usage: STORAGE | COPY_SRC | COPY_DST,
    });
    this.arrived = device.createBuffer({ size: answerBytes, usage: MAP_READ | COPY_DST });
  }

  /** Sends what was encoded, and reads the first `bytes` of the answers when they are there. */
  async send<T>(
    encoder: GPUCommandEncoder,
    bytes: number,
    read: (answers: ArrayBuffer) => T,
  ): Promise<T> {
    encoder.copyBufferToBuffer(this.answers, 0, this.arrived, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    return readMapped(this.arrived, bytes, read);
  }

  destroy(): void {
    this.work.destroy();
    this.answers.destroy();
    this.arrived.destroy();
  }
}

/** @param read must keep no view of what it is given */
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

/** Idle mailboxes that are kept beside those that were laid ready: calls of other sizes come again too. */
const KEPT = 2;
/** Laid ready at a time: one is filled while the other is read. */
const LAID = 2;

/** Mailboxes that were asked for ahead, and are not true yet. */
interface Preallocation {
  commit(): void;
  undo(): void;
}

export class ReadbackBuffers {
  /** The smallest first. */
  private readonly idle: ReadbackBuffer[] = [];
  /** Of one size, idle or not: they hold what any call may ask. */
  private preallocated: readonly ReadbackBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** One that holds as much; give it back when its answers are read. */
  acquire(workBytes: number, answerBytes: number): ReadbackBuffer {
    const at = this.idle.findIndex((box) => fits(box, workBytes, answerBytes));
    if (at >= 0) return this.idle.splice(at, 1)[0];
    return new ReadbackBuffer(this.device, roomFor(workBytes), roomFor(answerBytes));
  }

  /** Whether those that were laid ready hold as much. */
  hasRoomFor(workBytes: number, answerBytes: number): boolean {
    return (
      this.preallocated.length > 0 &&
      this.preallocated.every((box) => fits(box, workBytes, answerBytes))
    );
  }

  /** Lays some ready that hold as much, in the place of those before. */
  preallocate(workBytes: number, answerBytes: number): Preallocation {
    const size = [roomFor(workBytes), roomFor(answerBytes)] as const;
    const boxes = Array.from({ length: LAID }, () => new ReadbackBuffer(this.device, ...size));
    return {
      commit: () => {
        this.preallocated = boxes;
        for (const box of boxes) this.release(box);
      },
      undo: () => {
        for (const box of boxes) box.destroy();
      },
    };
  }

  release(box: ReadbackBuffer): void {
    this.idle.push(box);
    this.idle.sort((a, b) => a.answerBytes - b.answerBytes || a.workBytes - b.workBytes);
    const others = this.idle.filter((one) => !this.preallocated.includes(one));
    for (const surplus of others.slice(0, -KEPT)) {
      this.idle.splice(this.idle.indexOf(surplus), 1);
      surplus.destroy();
    }
  }

  destroy(): void {
    for (const box of this.idle.splice(0)) box.destroy();
  }
}

const fits = (box: ReadbackBuffer, workBytes: number, answerBytes: number): boolean =>
  box.workBytes >= workBytes && box.answerBytes >= answerBytes;

/** Sizes in powers of two, so that calls that differ a little fit the same mailboxes. */
const roomFor = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
