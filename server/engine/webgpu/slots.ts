/**
 * Where patches lie on the GPU: pages of equal slots, each for one patch of any stage. A slot has two halves, for a step
 * reads one and writes the other. Within a half lie groups of four channels, [C/4, s, s, 4]: neighbouring threads, which
 * have neighbouring cells, then read neighbouring memory.
 */

/** What a slot of one species takes. */
export interface SlotSizes {
  /** Groups of four channels, and cells, of a grown patch. */
  readonly groups: number;
  readonly cells: number;
  /** Groups of four values of a record; 0 where all patches share one. */
  readonly record: number;
}

export interface Page {
  readonly states: GPUBuffer;
  readonly seen: GPUBuffer;
  /** Absent where all patches share one. */
  readonly records: GPUBuffer | undefined;
  readonly slots: number;
  readonly free: number[];
}

/** A patch's slot, and what is in it. */
export class GpuSlot {
  /** The half that holds the states now. */
  currentHalf = 0;
  /** Whether `seen` is what the patch's last step showed. */
  hasLastRgba = false;

  constructor(
    readonly page: Page,
    readonly index: number,
    private readonly sizes: SlotSizes,
    /** Side s now. */
    public stage: number,
  ) {}

  /** Where a half begins, in groups of four values. */
  offsetOf(half: number): number {
    return (2 * this.index + half) * this.sizes.groups * this.sizes.cells;
  }

  /** In words. */
  get seenAt(): number {
    return this.index * this.sizes.cells;
  }

  /** In groups of four values. */
  get recordAt(): number {
    return this.index * this.sizes.record;
  }

  /** Groups of four values of the states now. */
  get size(): number {
    return this.sizes.groups * this.stage * this.stage;
  }
}

const FIRST_PAGE_SLOTS = 16;
/** Larger pages save no dispatches worth having, and are harder to find room for. */
const MOST_PAGE_BYTES = 256 * 2 ** 20;
export const GROUP_BYTES = 16;

/** The pages of one species. The next page has twice the slots, so that there are few, and little lies idle. */
export class Slots {
  readonly pages: Page[] = [];
  private readonly mostSlots: number;

  constructor(
    private readonly device: GPUDevice,
    private readonly sizes: SlotSizes,
  ) {
    const most = Math.min(MOST_PAGE_BYTES, device.limits.maxStorageBufferBindingSize);
    this.mostSlots = Math.max(1, Math.floor(most / this.slotBytes));
  }

  private get slotBytes(): number {
    return 2 * this.sizes.groups * this.sizes.cells * GROUP_BYTES;
  }

  /** Slots that are free now. */
  get free(): number {
    return this.pages.reduce((sum, { free }) => sum + free.length, 0);
  }

  /** Slots that are taken now. */
  get taken(): number {
    return this.pages.reduce((sum, { slots, free }) => sum + slots - free.length, 0);
  }

  /** Adds pages until so many slots are free. @returns takes them away again, if none of their slots is taken yet */
  grow(count: number): () => void {
    const before = this.pages.length;
    while (this.free < count) this.pages.push(this.createPage());
    return () => {
      for (const page of this.pages.splice(before)) destroyPage(page);
    };
  }

  acquire(stage: number): GpuSlot {
    let page = this.pages.find(({ free }) => free.length > 0);
    if (!page) this.pages.push((page = this.createPage()));
    return new GpuSlot(page, page.free.pop()!, this.sizes, stage);
  }

  /** Work that was submitted before may still use the slot: the next owner's comes behind it. */
  release({ page, index: slot }: GpuSlot): void {
    page.free.push(slot);
    // One empty page is kept, or a patch that comes and goes would make and destroy it each time.
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
    const slots = Math.min(FIRST_PAGE_SLOTS * 2 ** this.pages.length, this.mostSlots);
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
