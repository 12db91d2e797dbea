/**
 * A checkpoint's net on a GPU: its kernels, its weights, and pages of GPU memory for its patches. A
 * page has many equal slots, each for one patch. A slot has two halves: a step reads states in one
 * half and writes new states to the other. Channels are in groups of four, [C/4, s, s, 4], so that
 * neighbouring threads, which step neighbouring cells, read neighbouring memory.
 */
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { type Genomes, genomeWeights, MAX_GENOMES } from '../../vnca/chimera.ts';
import {
  GROUP_BYTES,
  type Plan,
  packRecord,
  packWeights,
  planFor,
  type RecordLayout,
  ROW,
  recordLayout,
  tilesOf,
} from './plan.ts';
import { BINDINGS, seedSource, stepSource } from './shader.ts';

/** A page of GPU memory: buffers with slots for several patches. */
export interface Page {
  readonly net: Net;
  readonly states: GPUBuffer;
  readonly seen: GPUBuffer;
  /**
   * Each slot holds a record for each genome of the patch (weights that depend on the genome), and
   * the share of each genome in each cell. For the layout, see `recordLayout`. Undefined if
   * the rule reads no genomes.
   */
  readonly records: GPUBuffer | undefined;
  readonly slots: number;
  readonly free: number[];
}

/** A patch in one slot of a page of GPU memory. */
export class GpuPatch {
  /** Which half of the slot (0 or 1) holds the current states. */
  currentHalf = 0;
  /** Whether `page.seen` holds the picture after the patch's last step. */
  hasLastRgba = false;
  /** Genomes that the cells read; undefined if the rule reads none. */
  genomes: Genomes | undefined;
  /**
   * Set if `page.records` holds the shares of a chimera's genomes. `stage`: side of the patch for
   * which the shares were computed. `tiles`: one byte per tile, with one bit for each genome that
   * contributes to the tile.
   */
  mix: { readonly stage: number; readonly tiles: Uint8Array } | undefined;
  readonly species: Net;

  constructor(
    readonly page: Page,
    readonly slot: number,
    /** Current side s of the patch, in cells. */
    public stage: number,
  ) {
    this.species = page.net;
  }

  /**
   * Returns where a half (0 or 1) of the slot begins in `page.states`, in groups of four values.
   */
  offsetOf(half: number): number {
    return (2 * this.slot + half) * this.species.halfGroups;
  }

  /** Offset of the patch's current states in `page.states`, in bytes. */
  get statesAt(): number {
    return this.offsetOf(this.currentHalf) * GROUP_BYTES;
  }

  /** Size of the patch's current states, in bytes. */
  get bytes(): number {
    return this.species.plan.channels * this.stage * this.stage * GROUP_BYTES;
  }
}

const FIRST_PAGE_SLOTS = 16;
/** Maximum size of a page of GPU memory, in bytes. Larger pages are harder to allocate. */
const MAX_PAGE_BYTES = 256 * 2 ** 20;

/**
 * A net that has been loaded on a GPU. Each new page of GPU memory has twice as many slots as the
 * page before, so that there are few pages.
 */
export class Net {
  readonly card: Card;
  readonly pages: Page[] = [];
  /** Number of cells of a fully grown patch. */
  readonly cells: number;
  /** Size of half a slot, in groups of four values. */
  readonly halfGroups: number;

  private constructor(
    private readonly model: Model,
    private readonly device: GPUDevice,
    readonly plan: Plan,
    readonly record: RecordLayout,
    private readonly kernels: {
      readonly layout: GPUBindGroupLayout;
      readonly pipelines: readonly GPUComputePipeline[];
      readonly weights: GPUBuffer;
      /** The record that all patches share; undefined if each patch has records of its own. */
      readonly records: GPUBuffer | undefined;
    },
  ) {
    const { card } = model;
    this.card = card;
    this.cells = card.side * card.side;
    this.halfGroups = plan.channels * this.cells;
  }

  /**
   * Loads a net on a GPU.
   *
   * @throws EngineError 'unavailable' if the net is too wide for the GPU; Error if a kernel cannot
   * be compiled
   */
  static async load(model: Model, device: GPUDevice): Promise<Net> {
    const { card } = model;
    const plan = planFor(card, device.limits);
    const record = recordLayout(card, plan);
    const { offsets, data } = packWeights(model, plan);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const bufferWith = (data: Float32Array<ArrayBuffer>): GPUBuffer => {
      const buffer = device.createBuffer({ size: data.byteLength, usage });
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    const layout = device.createBindGroupLayout({
      entries: BINDINGS.map(({ written }, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: written ? 'storage' : 'read-only-storage' },
      })),
    });
    const sources = [stepSource(card, plan, record, offsets)];
    if (card.update.updateProbability < 1) sources.unshift(seedSource(plan));
    const compile = (code: string): Promise<GPUComputePipeline> =>
      device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
      });
    return new Net(model, device, plan, record, {
      layout,
      weights: bufferWith(data),
      records: record.shared ? bufferWith(packRecord(model, record)) : undefined,
      pipelines: await Promise.all(sources.map(compile)),
    });
  }

  /**
   * Encodes the GPU commands that step the patches in one page of GPU memory. A section of the work
   * buffer describes the steps.
   *
   * @param section.at offset of the section in the work buffer, in bytes
   * @param answerBytes total size of the answers of all pages, in bytes
   */
  encode(
    pass: GPUComputePassEncoder,
    page: Page,
    buffers: Readonly<Record<'work' | 'answers', GPUBuffer>>,
    section: { readonly at: number; readonly words: Uint32Array; readonly tiles: number },
    answerBytes: number,
  ): void {
    const { layout, pipelines, weights, records } = this.kernels;
    const { at, words, tiles } = section;
    const bindings: Record<(typeof BINDINGS)[number]['name'], GPUBufferBinding> = {
      states: { buffer: page.states },
      seen: { buffer: page.seen },
      answers: { buffer: buffers.answers, size: answerBytes },
      records: { buffer: (records ?? page.records)! },
      weights: { buffer: weights },
      work: { buffer: buffers.work, offset: at, size: words.byteLength },
    };
    const entries = BINDINGS.map(({ name }, binding) => ({ binding, resource: bindings[name] }));
    pass.setBindGroup(0, this.device.createBindGroup({ layout, entries }));
    for (const pipeline of pipelines) {
      pass.setPipeline(pipeline);
      pass.dispatchWorkgroups(Math.min(tiles, ROW), Math.ceil(tiles / ROW));
    }
  }

  /** Number of free slots in all pages of GPU memory. */
  get free(): number {
    return this.pages.reduce((sum, { free }) => sum + free.length, 0);
  }

  /** Number of occupied slots in all pages of GPU memory. */
  get taken(): number {
    return this.pages.reduce((sum, { slots, free }) => sum + slots - free.length, 0);
  }

  /**
   * Adds pages of GPU memory until at least `count` slots are free.
   *
   * @returns a function that removes the added pages; call it only if none of their slots is in use
   */
  grow(count: number): () => void {
    const before = this.pages.length;
    while (this.free < count) this.pages.push(this.createPage());
    return () => {
      for (const page of this.pages.splice(before)) destroyPage(page);
    };
  }

  /** Adds a patch. A slot must be free (see `grow`). @param state [C/4, s, s, 4] */
  plant(stage: number, state: Float32Array<ArrayBuffer>, genomes: Genomes): GpuPatch {
    const page = this.pages.find(({ free }) => free.length > 0)!;
    const patch = new GpuPatch(page, page.free.pop()!, stage);
    this.write(patch, stage, state);
    this.express(patch, genomes);
    return patch;
  }

  /** Replaces the states of a patch. @param state [C/4, s, s, 4] */
  write(patch: GpuPatch, stage: number, state: Float32Array<ArrayBuffer>): void {
    patch.stage = stage;
    patch.hasLastRgba = false;
    this.device.queue.writeBuffer(patch.page.states, patch.statesAt, state);
  }

  /**
   * Gives a patch new genomes, which its cells read from the next step on. Does nothing if the rule
   * reads no genomes.
   */
  express(patch: GpuPatch, { latents, labels }: Genomes): void {
    const { page, slot, genomes } = patch;
    if (!page.records) return;
    const { size, patchSize } = this.record;
    for (const [i, latent] of latents.entries()) {
      // Write only genomes that have changed.
      if (genomes?.latents[i]?.every((value, at) => value === latent[at])) continue;
      const record = packRecord(this.model, this.record, latent);
      const at = (slot * patchSize + i * size) * GROUP_BYTES;
      this.device.queue.writeBuffer(page.records, at, record);
    }
    patch.genomes = { latents: latents.map((latent) => latent.slice()), labels: labels?.slice() };
    patch.mix = undefined;
  }

  /**
   * If the patch is a chimera (has labels), writes the share of each genome in each cell to
   * `page.records`. Does nothing if the shares for a patch of side `stage` are there already.
   */
  mix(patch: GpuPatch, stage: number): void {
    const { page, slot, genomes } = patch;
    if (!genomes?.labels || patch.mix?.stage === stage) return;
    const { tileWidth, tileHeight } = this.plan;
    const cells = stage * stage;
    const weights = new Float32Array(MAX_GENOMES * cells);
    const tiles = new Uint8Array(tilesOf(stage, this.plan));
    genomeWeights(genomes.labels, genomes.latents.length, stage).forEach((weight, i) => {
      const [genome, cell] = [Math.floor(i / cells), i % cells];
      weights[MAX_GENOMES * cell + genome] = weight;
      const [x, y] = [cell % stage, Math.floor(cell / stage)];
      const row = Math.floor(y / tileHeight) * Math.ceil(stage / tileWidth);
      if (weight > 0) tiles[row + Math.floor(x / tileWidth)] |= 1 << genome;
    });
    const at = (slot * this.record.patchSize + this.record.mix) * GROUP_BYTES;
    this.device.queue.writeBuffer(page.records!, at, weights);
    patch.mix = { stage, tiles };
  }

  /**
   * Frees a patch's slot. Submitted GPU commands may still use the slot, but they end before
   * commands for the slot's next patch begin.
   */
  release({ page, slot }: GpuPatch): void {
    page.free.push(slot);
    // Keep one empty page of GPU memory, so that repeated planting and disposal do not create and
    // destroy a page each time.
    const empty = this.pages.filter(({ free, slots }) => free.length === slots);
    if (empty.length < 2) return;
    const last = empty.at(-1)!;
    this.pages.splice(this.pages.indexOf(last), 1);
    destroyPage(last);
  }

  destroy(): void {
    for (const page of this.pages.splice(0)) destroyPage(page);
    this.kernels.weights.destroy();
    this.kernels.records?.destroy();
  }

  private createPage(): Page {
    const { device, cells, record } = this;
    const slotBytes = 2 * this.halfGroups * GROUP_BYTES;
    const recordBytes = record.shared ? 0 : record.patchSize * GROUP_BYTES;
    const most = Math.min(MAX_PAGE_BYTES, device.limits.maxStorageBufferBindingSize);
    const fitting = Math.max(1, Math.floor(most / Math.max(slotBytes, recordBytes)));
    const slots = Math.min(FIRST_PAGE_SLOTS * 2 ** this.pages.length, fitting);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const create = (size: number): GPUBuffer => device.createBuffer({ size, usage });
    return {
      net: this,
      states: create(slots * slotBytes),
      seen: create(slots * cells * 4),
      records: record.shared ? undefined : create(slots * recordBytes),
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
