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
