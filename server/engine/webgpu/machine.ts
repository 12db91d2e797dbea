/**
 * A GPU with its nets, patches and readback buffers, which are all lost if the GPU is lost. Calls
 * are submitted before they return; their promises resolve when the answers have arrived.
 */
import { setTimeout } from 'node:timers/promises';
import { getOrAdd } from '../../platform/collections.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { brokenReadout, type Entry, stageAfter } from '../core/patch-table.ts';
import { EngineError, type Readout } from '../engine.ts';
import type { Gpu } from './device.ts';
import { type Job, type Section, writeSection } from './jobs.ts';
import { type GpuPatch, Net, type Page } from './net.ts';
import { ReadbackBuffers, readMapped } from './readback.ts';
import { ANSWER_HEAD, answerWords, BROKEN, JOBS_AT, maxWorkWords, SECTION_WORDS } from './work.ts';

/**
 * Maximum total size of the answers in one submission, in bytes. They must fit in one buffer
 * binding, so larger steps are split into portions.
 */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;
/** After a failed call, how long to wait for the device to report its loss, in ms. */
const LOSS_REPORT_DELAY = 100;
/** Maximum number of bytes read through one buffer, as larger buffers are harder to allocate. */
const MAX_READ_BYTES = 64 * 2 ** 20;

/** An open device with everything stored on it. */
export class Machine {
  /** Maps checkpoint names to loaded nets. */
  readonly nets = new Map<string, Net>();
  private readonly device: GPUDevice;
  private readonly readback: ReadbackBuffers;
  private readonly maxAnswerBytes: number;
  /** Why answers are no longer reliable; undefined if nothing has failed. */
  private failure: EngineError | undefined;

  private constructor(private readonly gpu: Gpu) {
    const { device } = gpu;
    this.device = device;
    this.readback = new ReadbackBuffers(device);
    this.maxAnswerBytes = Math.min(MAX_ANSWER_BYTES, device.limits.maxStorageBufferBindingSize);
    device.onuncapturederror = ({ error }) => this.fail(messageOf(error));
    void device.lost.then(() => {
      this.failure = new EngineError('gpu-lost', 'the GPU was lost');
    });
  }

  /**
   * Loads the models on a GPU.
   *
   * @throws EngineError unavailable; Error if a kernel does not compile
   */
  static async open(models: readonly Model[], gpu: Gpu): Promise<Machine> {
    const machine = new Machine(gpu);
    for (const model of models) {
      machine.nets.set(model.card.name, await Net.load(model, gpu.device));
    }
    return machine;
  }

  /**
   * Reserves memory for one more patch per entry of `wanted`, and for a step of all patches at full
   * size. Returns undefined if there is already enough.
   *
   * @throws EngineError out-of-memory: nothing was reserved, and everything else continues to work
   */
  reserve(wanted: readonly Net[]): Promise<void> | undefined {
    const counts = new Map<Net, number>();
    for (const net of wanted) counts.set(net, (counts.get(net) ?? 0) + 1);
    this.device.pushErrorScope('out-of-memory');
    const short = [...counts].filter(([net, count]) => net.free < count);
    const undo = short.map(([net, count]) => net.grow(count));
    const buffers = this.readback.preallocate(...this.requiredBytes(counts));
    // Ignores a loss of the device, because the next call reports it.
    const allocation = this.device.popErrorScope().catch(() => null);
    if (short.length === 0 && !buffers) return undefined;
    return allocation.then((error) => {
      if (error) {
        for (const remove of undo) remove();
        for (const one of buffers ?? []) one.destroy();
        throw new EngineError('out-of-memory', messageOf(error));
      }
      if (buffers) this.readback.keep(buffers);
    });
  }

  /**
   * Steps patches.
   *
   * @returns read-outs in the order of `entries`
   * @throws EngineError gpu-lost, failed
   */
  async step(entries: readonly Entry<GpuPatch>[]): Promise<Readout[]> {
    const wordsOf = ({ patch, step }: Entry<GpuPatch>) => answerWords(stageAfter(patch, step));
    const portions = inPortions(entries, wordsOf, this.maxAnswerBytes / 4);
    // Submits all portions before it awaits the first.
    return (await this.checked(Promise.all(portions.map((part) => this.submit(part))))).flat();
  }

  /**
   * Reads states, in the layout that `Net.plant` expects.
   *
   * @throws EngineError out-of-memory; gpu-lost, failed
   */
  async read(patches: readonly GpuPatch[]): Promise<Float32Array[]> {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const most = Math.min(MAX_READ_BYTES, device.limits.maxBufferSize);
    const portions = inPortions(patches, ({ bytes }) => bytes, most);
    const copies = Promise.all(portions.map((portion) => readStates(device, portion)));
    // Prevents an unhandled rejection; `copies` is awaited below, unless memory was short.
    copies.catch(() => {});
    // A failed allocation also makes the commands that use the buffer invalid, so check memory
    // first.
    const [full, wrong] = await Promise.all(
      [device.popErrorScope(), device.popErrorScope()].map((scope) => scope.catch(() => null)),
    );
    if (full && !this.failure) throw new EngineError('out-of-memory', messageOf(full));
    if (wrong) this.fail(messageOf(wrong));
    return (await this.checked(copies)).flat();
  }

  destroy(): void {
    this.readback.destroy();
    for (const net of this.nets.values()) net.destroy();
    this.device.destroy();
    // Keeps a reference until the device is lost: see `openGpu`.
    void this.device.lost.then(() => this.gpu);
  }

  private fail(why: string): void {
    this.failure ??= new EngineError('failed', `the GPU failed (${why})`);
  }

  /** Awaits an answer. If the GPU has failed, rejects even if the answer arrives. */
  private async checked<T>(answer: Promise<T>): Promise<T> {
    const result = await answer.catch(async (error: Error) => {
      await Promise.race([this.device.lost, setTimeout(LOSS_REPORT_DELAY)]);
      this.fail(error.message);
    });
    if (this.failure) throw this.failure;
    return result as T;
  }

  /** Submits steps of patches whose answers fit together in one buffer. */
  private async submit(entries: readonly Entry<GpuPatch>[]): Promise<Readout[]> {
    const jobs = jobsOf(entries);
    for (const { patch, step, stage } of jobs) {
      if (step.express) patch.species.express(patch, step.express);
      patch.species.mix(patch, stage);
    }
    const sections = sectionsOf(jobs);
    const workBytes = sections.reduce((sum, { words }) => sum + words.byteLength, 0);
    const answerBytes = jobs.reduce((sum, { stage }) => sum + 4 * answerWords(stage), 0);
    const buffers = this.readback.acquire(workBytes, answerBytes);
    const encoder = this.device.createCommandEncoder();
    encoder.clearBuffer(buffers.answers, 0, answerBytes);
    const pass = encoder.beginComputePass();
    for (const section of sections) {
      this.device.queue.writeBuffer(buffers.work, section.at, section.words);
      section.page.net.encode(pass, section.page, buffers, section, answerBytes);
    }
    pass.end();
    const compared = jobs.map(({ patch, step }) => patch.hasLastRgba && !step.divide);
    for (const { patch, stage } of jobs) {
      patch.currentHalf = 1 - patch.currentHalf;
      patch.stage = stage;
      patch.hasLastRgba = true;
    }
    try {
      return await buffers.send(encoder, answerBytes, (mapped) =>
        jobs.map((job, i) => readAnswer(mapped, job, compared[i])),
      );
    } finally {
      this.readback.release(buffers);
    }
  }

  /**
   * Computes the buffer sizes, in bytes, for a step of all patches at full size. If the step is
   * split into portions, the sizes are those of one portion.
   *
   * @param more number of patches of each net that are to be added
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

function jobsOf(entries: readonly Entry<GpuPatch>[]): Job[] {
  let answer = 0;
  return entries.map(({ patch, step }) => {
    const stage = stageAfter(patch, step);
    const job = { patch, step, stage, answer };
    answer += answerWords(stage);
    return job;
  });
}

/** Writes the sections of all pages. `at` is a section's offset in the work buffer, in bytes. */
function sectionsOf(jobs: readonly Job[]): (Section & { page: Page; at: number })[] {
  const pages = new Map<Page, Job[]>();
  for (const job of jobs) getOrAdd(pages, job.patch.page, () => []).push(job);
  let at = 0;
  return Array.from(pages, ([page, own]) => {
    const section = { page, at, ...writeSection(own, page.net.plan) };
    at += section.words.byteLength;
    return section;
  });
}

/** Copies states to the CPU. The copy is submitted before the call returns. */
async function readStates(
  device: GPUDevice,
  patches: readonly GpuPatch[],
): Promise<Float32Array[]> {
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

/** Reads a job's answer. @param isCompared whether the picture was compared with the last one */
function readAnswer(
  mapped: ArrayBuffer,
  { step: { patch }, stage, answer }: Job,
  isCompared: boolean,
): Readout {
  const [flag] = new Uint32Array(mapped, 4 * answer, 1);
  const cells = stage * stage;
  // Copies the bytes, as views of the mapped buffer are not valid after the call.
  const bytes = new Uint8Array(mapped, 4 * (answer + ANSWER_HEAD), 5 * cells).slice();
  const rgba = bytes.subarray(0, 4 * cells);
  const presence = bytes.subarray(4 * cells);
  const readout = { patch, stage, rgba, presence, change: isCompared ? flag : 255 };
  return flag === BROKEN ? brokenReadout(readout) : readout;
}

/** Returns the first line of a driver's message, or the error's name if the message is empty. */
function messageOf(error: GPUError): string {
  const [first] = error.message.split('\n');
  const { name } = error.constructor;
  return name === 'GPUOutOfMemoryError' ? `out of memory: ${first}` : first || name;
}

/**
 * Splits items, in order, into portions of at most `most` in total size. A larger item becomes a
 * portion of its own.
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
