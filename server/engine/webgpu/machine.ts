/**
 * A GPU, and the nets, patches and buffers that are stored on it. Calls send commands to the GPU
 * immediately. Their promises resolve when the GPU has answered.
 */
import { setTimeout } from 'node:timers/promises';
import { getOrAdd } from '../../platform/collections.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { MAX_GENOMES } from '../../vnca/chimera.ts';
import { brokenReadout, type Entry, stageAfter } from '../core/patch-table.ts';
import { EngineError, type Readout } from '../engine.ts';
import type { Gpu } from './device.ts';
import { type GpuPatch, Net, type Page } from './net.ts';
import {
  ANSWER_HEAD,
  answerWords,
  BROKEN,
  COMPARES,
  DIVIDES,
  JOB_FIELDS,
  JOBS_AT,
  maskWords,
  maxWorkWords,
  type Plan,
  SECTION_WORDS,
  tilesOf,
} from './plan.ts';

/**
 * Maximum total size of the answers to one submission, in bytes. A step with more answers is split
 * into several submissions, because the answers must fit in one buffer binding.
 */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;
/** How long to wait, after a failed call, for the GPU to report that it was lost, in ms. */
const LOSS_REPORT_DELAY = 100;
/** Maximum number of bytes read through one buffer. Larger buffers are harder to allocate. */
const MAX_READ_BYTES = 64 * 2 ** 20;

export class Machine {
  /** Loaded nets, by checkpoint name. */
  readonly nets = new Map<string, Net>();
  private readonly device: GPUDevice;
  private readonly buffers: BufferPool;
  private readonly maxAnswerBytes: number;
  /**
   * Error 'gpu-lost' if the GPU was lost, otherwise the GPU's first error. Once this is set, the
   * GPU's answers are not reliable.
   */
  private failure: EngineError | undefined;

  private constructor(private readonly gpu: Gpu) {
    const { device } = gpu;
    this.device = device;
    this.buffers = new BufferPool(device);
    this.maxAnswerBytes = Math.min(MAX_ANSWER_BYTES, device.limits.maxStorageBufferBindingSize);
    device.onuncapturederror = ({ error }) => this.fail(messageOf(error));
    void device.lost.then(() => {
      this.failure = new EngineError('gpu-lost', 'the GPU was lost');
    });
  }

  /**
   * Creates a machine and loads the models on its GPU.
   *
   * @throws EngineError 'unavailable'; Error if a kernel cannot be compiled
   */
  static async open(models: readonly Model[], gpu: Gpu): Promise<Machine> {
    const machine = new Machine(gpu);
    for (const model of models) {
      machine.nets.set(model.card.name, await Net.load(model, gpu.device));
    }
    return machine;
  }

  /**
   * Allocates memory for new patches, and for a step of all patches at full size. Returns undefined
   * if enough memory has already been allocated.
   *
   * @param wanted the net of each new patch
   * @throws EngineError 'out-of-memory'; existing patches are not affected
   */
  reserve(wanted: readonly Net[]): Promise<void> | undefined {
    const counts = new Map<Net, number>();
    for (const net of wanted) counts.set(net, (counts.get(net) ?? 0) + 1);
    this.device.pushErrorScope('out-of-memory');
    const short = [...counts].filter(([net, count]) => net.free < count);
    const undo = short.map(([net, count]) => net.grow(count));
    const buffers = this.buffers.preallocate(...this.requiredBytes(counts));
    // Ignore a rejection: it means that the GPU was lost, which the next call reports.
    const allocation = this.device.popErrorScope().catch(() => null);
    if (short.length === 0 && !buffers) return undefined;
    return allocation.then((error) => {
      if (error) {
        for (const remove of undo) remove();
        for (const one of buffers ?? []) destroyBuffers(one);
        throw new EngineError('out-of-memory', messageOf(error));
      }
      if (buffers) this.buffers.keep(buffers);
    });
  }

  /**
   * Steps patches.
   *
   * @returns read-outs in the order of `entries`
   * @throws EngineError 'gpu-lost' or 'failed'
   */
  async step(entries: readonly Entry<GpuPatch>[]): Promise<Readout[]> {
    const wordsOf = ({ patch, step }: Entry<GpuPatch>) => answerWords(stageAfter(patch, step));
    const portions = inPortions(entries, wordsOf, this.maxAnswerBytes / 4);
    // Submit all portions before awaiting the first answer.
    return (await this.checked(Promise.all(portions.map((part) => this.submit(part))))).flat();
  }

  /**
   * Copies the states of patches to the CPU's memory, in the GPU's layout, [C/4, s, s, 4].
   *
   * @throws EngineError 'out-of-memory', 'gpu-lost' or 'failed'
   */
  async read(patches: readonly GpuPatch[]): Promise<Float32Array[]> {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const most = Math.min(MAX_READ_BYTES, device.limits.maxBufferSize);
    const portions = inPortions(patches, ({ bytes }) => bytes, most);
    const copies = Promise.all(portions.map((portion) => readStates(device, portion)));
    // Mark a failure of `copies` as handled, because `copies` is not awaited if the GPU is out of
    // memory.
    copies.catch(() => {});
    // Check for lack of memory first. It also makes later commands invalid, so both scopes may
    // report an error.
    const [full, wrong] = await Promise.all(
      [device.popErrorScope(), device.popErrorScope()].map((scope) => scope.catch(() => null)),
    );
    if (full && !this.failure) throw new EngineError('out-of-memory', messageOf(full));
    if (wrong) this.fail(messageOf(wrong));
    return (await this.checked(copies)).flat();
  }

  destroy(): void {
    this.buffers.destroy();
    for (const net of this.nets.values()) net.destroy();
    this.device.destroy();
    // Keep Dawn's instance until the device is lost, as `openGpu` explains.
    void this.device.lost.then(() => this.gpu);
  }

  private fail(why: string): void {
    this.failure ??= new EngineError('failed', `the GPU failed (${why})`);
  }

  /**
   * Waits for an answer of the GPU. Rejects if the GPU has failed, even if the answer has arrived.
   */
  private async checked<T>(answer: Promise<T>): Promise<T> {
    const result = await answer.catch(async (error: Error) => {
      await Promise.race([this.device.lost, setTimeout(LOSS_REPORT_DELAY)]);
      this.fail(error.message);
    });
    if (this.failure) throw this.failure;
    return result as T;
  }

  /**
   * Submits one portion of a step to the GPU, and reads the answers, which must fit in one buffer.
   */
  private async submit(entries: readonly Entry<GpuPatch>[]): Promise<Readout[]> {
    const { queue } = this.device;
    let words = 0;
    const jobs = entries.map(({ patch, step }): Job => {
      const stage = stageAfter(patch, step);
      const answer = words;
      words += answerWords(stage);
      if (step.express) patch.species.express(patch, step.express);
      patch.species.mix(patch, stage);
      return { patch, step, stage, answer, isCompared: patch.hasLastRgba && !step.divide };
    });
    const sections = sectionsOf(jobs);
    const workBytes = sections.reduce((sum, section) => sum + section.words.byteLength, 0);
    const answerBytes = 4 * words;
    const buffers = this.buffers.acquire(workBytes, answerBytes);
    const encoder = this.device.createCommandEncoder();
    encoder.clearBuffer(buffers.answers, 0, answerBytes);
    const pass = encoder.beginComputePass();
    for (const section of sections) {
      queue.writeBuffer(buffers.work, section.at, section.words);
      section.page.net.encode(pass, section.page, buffers, section, answerBytes);
    }
    pass.end();
    for (const { patch, stage } of jobs) {
      patch.currentHalf = 1 - patch.currentHalf;
      patch.stage = stage;
      patch.hasLastRgba = true;
    }
    try {
      encoder.copyBufferToBuffer(buffers.answers, 0, buffers.mappable, 0, answerBytes);
      queue.submit([encoder.finish()]);
      // Copy the bytes, because the mapped buffer becomes invalid when `readMapped` ends.
      const answers = await readMapped(buffers.mappable, answerBytes, (mapped) => mapped.slice(0));
      return jobs.map((job) => readAnswer(answers, job));
    } finally {
      this.buffers.release(buffers);
    }
  }

  /**
   * Computes the sizes of the work buffer and the answer buffer, in bytes, for a step of all
   * patches at full size. If the step must be split, the sizes are for one portion.
   *
   * @param more for each net, the number of patches that will be added
   */
  private requiredBytes(more: ReadonlyMap<Net, number>): [work: number, answers: number] {
    let [work, heads, answers] = [0, 0, 0];
    for (const net of this.nets.values()) {
      const count = net.taken + (more.get(net) ?? 0);
      work += 4 * count * maxWorkWords(net.card.side, net.plan);
      heads += 4 * net.pages.length * (JOBS_AT + SECTION_WORDS);
      answers += 4 * count * answerWords(net.card.side);
    }
    const portion = Math.min(1, this.maxAnswerBytes / answers);
    return [Math.ceil(work * portion) + heads, Math.ceil(answers * portion)];
  }
}

/** A submitted step of one patch. */
interface Job extends Entry<GpuPatch> {
  /** Side of the patch after the step, in cells. */
  readonly stage: number;
  /** Offset of the answer in the answer buffer, in words. */
  readonly answer: number;
  /** Whether the kernel compares the picture with the patch's last picture. */
  readonly isCompared: boolean;
}

/**
 * Writes one section of the work buffer. A section holds the jobs (steps of single patches) of one
 * page of GPU memory, their masks, and a list of tiles. A tile takes two words. The first word
 * holds the job's index and, in the lowest `MAX_GENOMES` bits, the genomes that contribute to the
 * tile. The second word holds the tile's position in the patch.
 */
function writeSection(jobs: readonly Job[], plan: Plan) {
  const tiles = jobs.reduce((sum, { stage }) => sum + tilesOf(stage, plan), 0);
  let mask = JOBS_AT + JOB_FIELDS.length * jobs.length;
  const masks = jobs.flatMap(({ step: { keep, closed } }) => [keep, closed]);
  let tile = masks.reduce((at, one) => at + maskWords(one?.length ?? 0), mask);
  const sections = Math.ceil((tile + 2 * tiles) / SECTION_WORDS);
  const words = new Uint32Array(SECTION_WORDS * sections);
  words[0] = tiles;
  words[1] = tile;
  jobs.forEach(({ patch, step: { divide, keep, closed }, stage, answer, isCompared }, i) => {
    /**
     * Writes a mask with one bit per cell. @returns the mask's offset in the section, in words; 0
     * if there is no mask
     */
    const writeMask = (cells: Uint8Array | undefined): number => {
      if (!cells) return 0;
      const at = mask;
      cells.forEach((bit, cell) => {
        if (bit !== 0) words[at + (cell >>> 5)] |= 1 << (cell & 31);
      });
      mask += maskWords(cells.length);
      return at;
    };
    const { species, slot, currentHalf } = patch;
    const fields = {
      source: patch.offsetOf(currentHalf),
      destination: patch.offsetOf(1 - currentHalf),
      seen: slot * species.cells,
      record: species.record.shared ? 0 : slot * species.record.patchSize,
      side: stage,
      keep: writeMask(keep),
      closed: writeMask(closed),
      answer,
      flags: (divide ? DIVIDES : 0) + (isCompared ? COMPARES : 0),
    };
    const own = JOB_FIELDS.map((field) => fields[field]);
    words.set(own, JOBS_AT + i * JOB_FIELDS.length);
    let tileOfPatch = 0;
    for (let y = 0; y < stage; y += plan.tileHeight) {
      for (let x = 0; x < stage; x += plan.tileWidth) {
        words[tile++] = (i << MAX_GENOMES) + (patch.mix?.tiles[tileOfPatch++] ?? 1);
        words[tile++] = (y << 16) + x;
      }
    }
  });
  return { words, tiles };
}

/**
 * Groups jobs by page of GPU memory, and creates a section of the work buffer for each page.
 *
 * @returns the sections; `at` is the offset in the work buffer, in bytes
 */
function sectionsOf(jobs: readonly Job[]) {
  const pages = new Map<Page, Job[]>();
  for (const job of jobs) getOrAdd(pages, job.patch.page, () => []).push(job);
  let at = 0;
  return Array.from(pages, ([page, own]) => {
    const section = { page, at, ...writeSection(own, page.net.plan) };
    at += section.words.byteLength;
    return section;
  });
}

/**
 * Copies the states of patches to the CPU's memory. Submits the copy command before returning the
 * promise.
 */
async function readStates(device: GPUDevice, patches: readonly GpuPatch[]) {
  const size = patches.reduce((sum, { bytes }) => sum + bytes, 0);
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    let at = 0;
    const spans = patches.map(({ page, statesAt, bytes }) => {
      encoder.copyBufferToBuffer(page.states, statesAt, buffer, at, bytes);
      return { from: (at += bytes) - bytes, bytes };
    });
    device.queue.submit([encoder.finish()]);
    return await readMapped(buffer, size, (mapped) =>
      spans.map(({ from, bytes }) => new Float32Array(mapped, from, bytes / 4).slice()),
    );
  } finally {
    buffer.destroy();
  }
}

function readAnswer(answers: ArrayBuffer, { step: { patch }, stage, answer, isCompared }: Job) {
  const [flag] = new Uint32Array(answers, 4 * answer, 1);
  const cells = stage * stage;
  const at = 4 * (answer + ANSWER_HEAD);
  const rgba = new Uint8Array(answers, at, 4 * cells);
  const presence = new Uint8Array(answers, at + 4 * cells, cells);
  const readout = { patch, stage, rgba, presence, change: isCompared ? flag : 255 };
  return flag === BROKEN ? brokenReadout(readout) : readout;
}

/**
 * Maps a GPU buffer, so that the CPU can read it, and passes the bytes to `read`. The bytes become
 * invalid when `read` returns.
 */
async function readMapped<T>(buffer: GPUBuffer, bytes: number, read: (mapped: ArrayBuffer) => T) {
  await buffer.mapAsync(GPUMapMode.READ, 0, bytes);
  try {
    return read(buffer.getMappedRange(0, bytes));
  } finally {
    buffer.unmap();
  }
}

/** Maximum number of idle buffer sets in the buffer pool, not counting the preallocated sets. */
const MAX_IDLE = 2;
/** Number of preallocated buffer sets: one can be filled while the other is being read. */
const PREALLOCATED = 2;

type CallBuffers = ReturnType<typeof createBuffers>;

/** Creates a set of buffers of at least these sizes, in bytes. */
function createBuffers(device: GPUDevice, work: number, answers: number) {
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  // Round up to powers of two, so that calls of similar size can use the same buffers.
  const [workBytes, answerBytes] = [work, answers].map(
    (bytes) => 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096))),
  );
  const create = (size: number, usage: number) => device.createBuffer({ size, usage });
  return {
    workBytes,
    answerBytes,
    /** The jobs of a call; written by the CPU and read by kernels. */
    work: create(workBytes, STORAGE | COPY_DST),
    /** The answers of a call; written by kernels. */
    answers: create(answerBytes, STORAGE | COPY_SRC | COPY_DST),
    mappable: create(answerBytes, MAP_READ | COPY_DST),
  };
}

function destroyBuffers({ work, answers, mappable }: CallBuffers): void {
  for (const buffer of [work, answers, mappable]) buffer.destroy();
}

class BufferPool {
  /** Idle buffer sets, smallest first. */
  private readonly idle: CallBuffers[] = [];
  /** All preallocated buffer sets, idle or in use. All have one size, enough for any call. */
  private preallocated: readonly CallBuffers[] = [];

  constructor(private readonly device: GPUDevice) {}

  /**
   * Takes a set of buffers of at least these sizes, in bytes, from the buffer pool, or creates one.
   * The caller must pass the set to `release` after reading the answers.
   */
  acquire(work: number, answers: number): CallBuffers {
    const at = this.idle.findIndex((one) => one.workBytes >= work && one.answerBytes >= answers);
    return at >= 0 ? this.idle.splice(at, 1)[0] : createBuffers(this.device, work, answers);
  }

  /**
   * Creates new buffer sets, unless the preallocated ones have at least these sizes, in bytes.
   *
   * @returns the new sets, which the caller must pass to `keep` or destroy; undefined if none are
   * needed
   */
  preallocate(work: number, answers: number): CallBuffers[] | undefined {
    const [one] = this.preallocated;
    if (one?.workBytes >= work && one.answerBytes >= answers) return undefined;
    return Array.from({ length: PREALLOCATED }, () => createBuffers(this.device, work, answers));
  }

  keep(buffers: readonly CallBuffers[]): void {
    this.preallocated = buffers;
    for (const one of buffers) this.release(one);
  }

  /** Returns a set of buffers to the buffer pool, and destroys surplus idle sets. */
  release(buffers: CallBuffers): void {
    this.idle.push(buffers);
    this.idle.sort((a, b) => a.answerBytes - b.answerBytes || a.workBytes - b.workBytes);
    const others = this.idle.filter((one) => !this.preallocated.includes(one));
    for (const surplus of others.slice(0, -MAX_IDLE)) {
      this.idle.splice(this.idle.indexOf(surplus), 1);
      destroyBuffers(surplus);
    }
  }

  destroy(): void {
    for (const buffers of this.idle.splice(0)) destroyBuffers(buffers);
  }
}

/**
 * Returns the first line of a GPU error's message, or the name of the error's class if there is no
 * message. Adds 'out of memory' if this is the cause.
 */
function messageOf(error: GPUError): string {
  const [first] = error.message.split('\n');
  const { name } = error.constructor;
  return name === 'GPUOutOfMemoryError' ? `out of memory: ${first}` : first || name;
}

/**
 * Splits a list into consecutive portions whose total sizes are at most `most`. A larger item forms
 * a portion alone.
 */
function inPortions<T>(items: readonly T[], sizeOf: (item: T) => number, most: number): T[][] {
  const portions: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (size > room) {
      portions.push([]);
      room = most;
    }
    portions.at(-1)!.push(item);
    room -= size;
  }
  return portions;
}
