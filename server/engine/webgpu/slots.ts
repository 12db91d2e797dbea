/**
 * GPU memory for patches: pages of equal slots, each for one patch of any stage. A slot has two
 * halves: a step reads one and writes the other. A half holds groups of four channels, [C/4, s, s,
 * 4], so that neighbouring threads, which step neighbouring cells, read neighbouring memory.
 */

/** Sizes of a slot of one species. */
export interface SlotSizes {
  /** Groups of four channels. */
  readonly groups: number;
  /** Cells of a grown patch. */
  readonly cells: number;
  /** Groups of four values of a record; 0 if all patches share one. */
  readonly record: number;
}

/** Buffers with room for several patches. */
export interface Page {
  readonly states: GPUBuffer;
  readonly seen: GPUBuffer;
  /** Undefined if all patches share one record. */
  readonly records: GPUBuffer | undefined;
  readonly slots: number;
  readonly free: number[];
}

/** The slot of a patch. */
export class GpuSlot {
  /** Index of the half that holds the current states. */
  currentHalf = 0;
  /** Whether the page's `seen` holds the RGBA of the patch's last step. */
  hasLastRgba = false;

  constructor(
    readonly page: Page,
    readonly index: number,
    private readonly sizes: SlotSizes,
    /** Current side s. */
    public stage: number,
  ) {}

  /** Offset of a half in `states`, in groups of four values. */
  offsetOf(half: number): number {
    return (2 * this.index + half) * this.sizes.groups * this.sizes.cells;
  }

  /** Offset in `seen`, in 32-bit words. */
  get seenAt(): number {
    return this.index * this.sizes.cells;
  }

  /** Offset in `records`, in groups of four values. */
  get recordAt(): number {
    return this.index * this.sizes.record;
  }

  /** Size of the current states, in groups of four values. */
  get size(): number {
    return this.sizes.groups * this.stage * this.stage;
  }
}

const FIRST_PAGE_SLOTS = 16;
/** Larger pages save few dispatches and are harder to allocate. */
const MAX_PAGE_BYTES = 256 * 2 ** 20;
/** Bytes of a group of four values. */
export const GROUP_BYTES = 16;

/**
 * The pages of one species. Each new page has twice the slots, so that pages are few and mostly
 * full.
 */
export class Slots {
  readonly pages: Page[] = [];
  private readonly maxSlots: number;

  constructor(
    private readonly device: GPUDevice,
    private readonly sizes: SlotSizes,
  ) {
    const most = Math.min(MAX_PAGE_BYTES, device.limits.maxStorageBufferBindingSize);
    this.maxSlots = Math.max(1, Math.floor(most / this.slotBytes));
  }

  private get slotBytes(): number {
    return 2 * this.sizes.groups * this.sizes.cells * GROUP_BYTES;
  }

  /** Number of free slots. */
  get free(): number {
    return this.pages.reduce((sum, { free }) => sum + free.length, 0);
  }

  /** Number of slots in use. */
  get taken(): number {
    return this.pages.reduce((sum, { slots, free }) => sum + slots - free.length, 0);
  }

  /** Adds pages until `count` slots are free. @returns removes them again; none may be in use */
  grow(count: number): () => void {
    const before = this.pages.length;
    while (this.free < count) this.pages.push(this.createPage());
    return () => {
      for (const page of this.pages.splice(before)) destroyPage(page);
    };
  }

  /** Takes a free slot; adds a page if there is none. */
  acquire(stage: number): GpuSlot {
    let page = this.pages.find(({ free }) => free.length > 0);
    if (!page) this.pages.push((page = this.createPage()));
    return new GpuSlot(page, page.free.pop()!, this.sizes, stage);
  }

  /** Frees a slot. Submitted work may still use it: work of the next owner is queued behind. */
  release({ page, index: slot }: GpuSlot): void {
    page.free.push(slot);
    // Keep one empty page, or repeated planting and disposing would create and destroy it each
    // time.
    const empty = this.pages.filter(({ free, slots }) => free.length === slots);
    if (empty.length < 2) return;
    const last = empty.at(-1)!;
    this.pages.splice(this.pages.indexOf(last), 1);
    destroyPage(last);
  }

  destroy(): void {
    for (const page of this.pages.splice(0)) destroyPage(page);
  }

  private createPage(): Page {
    const { cells, record } = this.sizes;
    const slots = Math.min(FIRST_PAGE_SLOTS * 2 ** this.pages.length, this.maxSlots);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const create = (size: number): GPUBuffer => this.device.createBuffer({ size, usage });
    return {
      states: create(slots * this.slotBytes),
      seen: create(slots * cells * 4),
      records: record > 0 ? create(slots * record * GROUP_BYTES) : undefined,
      slots,
      free: Array.from({ length: slots }, (_, i) => slots - 1 - i),
    };
  }
}

function destroyPage({ states, seen, records }: Page): void {
  states.destroy();
  seen.destroy();
  records?.destroy();
}

/** The buffers of one call. */
export class ReadbackBuffer {
  /** The work: written by the CPU, read by kernels. */
  readonly work: GPUBuffer;
  /** The answers, written by kernels. */
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

  /**
   * Submits the encoded commands and reads the first `bytes` of the answers when they have arrived.
   */
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

/** Idle buffers that are kept besides the preallocated ones. */
const MAX_IDLE = 2;
/** Number of preallocated buffers: one is filled while the other is read. */
const PREALLOCATED = 2;

/** A pool of readback buffers. */
export class ReadbackBuffers {
  /** Smallest first. */
  private readonly idle: ReadbackBuffer[] = [];
  /** Idle or not, all of one size, which is enough for any call. */
  private preallocated: readonly ReadbackBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** Returns buffers of at least these sizes; release them when the answers are read. */
  acquire(workBytes: number, answerBytes: number): ReadbackBuffer {
    const at = this.idle.findIndex((buffers) => fits(buffers, workBytes, answerBytes));
    if (at >= 0) return this.idle.splice(at, 1)[0];
    return new ReadbackBuffer(this.device, roomFor(workBytes), roomFor(answerBytes));
  }

  /** Whether the preallocated buffers have at least these sizes. */
  hasRoomFor(workBytes: number, answerBytes: number): boolean {
    return (
      this.preallocated.length > 0 &&
      this.preallocated.every((buffers) => fits(buffers, workBytes, answerBytes))
    );
  }

  /** Allocates buffers of at least these sizes: for `keep`, or to be destroyed. */
  preallocate(workBytes: number, answerBytes: number): ReadbackBuffer[] {
    const size = [roomFor(workBytes), roomFor(answerBytes)] as const;
    return Array.from({ length: PREALLOCATED }, () => new ReadbackBuffer(this.device, ...size));
  }

  /** Replaces the preallocated buffers. */
  keep(buffers: readonly ReadbackBuffer[]): void {
    this.preallocated = buffers;
    for (const one of buffers) this.release(one);
  }

  /** Returns buffers to the pool. */
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
}

const fits = (buffers: ReadbackBuffer, workBytes: number, answerBytes: number): boolean =>
  buffers.workBytes >= workBytes && buffers.answerBytes >= answerBytes;

/** Rounds up to a power of two, so that calls of similar size can use the same buffers. */
const roomFor = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
