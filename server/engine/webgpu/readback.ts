/**
 * Brings what kernels answer back to the CPU. Each call has a mailbox of its own, and the next one may be submitted, with
 * another mailbox, while the last one's is still on its way.
 */

export class Mailbox {
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

/** Idle mailboxes that are kept: one is filled while the other is read. */
const KEPT = 2;

export class Mailboxes {
  private readonly all = new Set<Mailbox>();
  private readonly idle: Mailbox[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** One that holds as much; give it back when its answers are read. */
  take(workBytes: number, answerBytes: number): Mailbox {
    const fits = this.idle.findIndex(
      (box) => box.workBytes >= workBytes && box.answerBytes >= answerBytes,
    );
    if (fits >= 0) return this.idle.splice(fits, 1)[0];
    return this.create(workBytes, answerBytes);
  }

  /** Whether there is one that holds as much, idle or not. */
  has(workBytes: number, answerBytes: number): boolean {
    return [...this.all].some(
      (box) => box.workBytes >= workBytes && box.answerBytes >= answerBytes,
    );
  }

  /** Lays one ready that holds as much. @returns takes it away again, if nobody has taken it yet */
  lay(workBytes: number, answerBytes: number): () => void {
    const box = this.create(workBytes, answerBytes);
    this.give(box);
    return () => {
      this.idle.splice(this.idle.indexOf(box), 1);
      this.drop(box);
    };
  }

  give(box: Mailbox): void {
    this.idle.push(box);
    // The largest stay: they serve every call.
    this.idle.sort((a, b) => b.answerBytes - a.answerBytes);
    for (const small of this.idle.splice(KEPT)) this.drop(small);
  }

  destroy(): void {
    for (const box of this.idle.splice(0)) this.drop(box);
  }

  private create(workBytes: number, answerBytes: number): Mailbox {
    const box = new Mailbox(this.device, roomFor(workBytes), roomFor(answerBytes));
    this.all.add(box);
    return box;
  }

  private drop(box: Mailbox): void {
    this.all.delete(box);
    box.destroy();
  }
}

/** Sizes in powers of two, so that calls that differ a little fit the same mailboxes. */
const roomFor = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
