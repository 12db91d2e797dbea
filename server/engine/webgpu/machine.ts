/**
 * Everything that belongs to one device and is lost with it: nets, states, readback buffers. Calls
 * are submitted before they return; their promises resolve when the answers have arrived.
 */
import { getOrAdd } from '../../platform/collections.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { EngineError } from '../engine.ts';
import type { Gpu } from './device.ts';
import { loadNet, type Net } from './net.ts';
import { type GpuSlot, GROUP_BYTES, type Page, ReadbackBuffers, readMapped } from './slots.ts';
import {
  ANSWER_HEAD,
  answerWords,
  BROKEN,
  JOBS_AT,
  type Job,
  maxWorkWords,
  SECTION_WORDS,
  stageOf,
  writeWork,
} from './work.ts';

/** A step of a patch and the net to step it with. */
export interface NetJob extends Job {
  readonly net: Net;
  /** The patch's record from this step on, from `Net.recordOf`; undefined: as before. */
  readonly record?: Float32Array | undefined;
}

/** A device and what it holds. */
export type Machine = Awaited<ReturnType<typeof createMachine>>;

/**
 * Answer bytes per submission, which must fit one binding; larger steps are split into portions.
 */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;

/**
 * Loads the models on a device.
 *
 * @throws EngineError unavailable; Error: a kernel does not compile
 */
export async function createMachine(models: readonly Model[], gpu: Gpu) {
  const { device } = gpu;
  let failure: string | undefined;
  let lost = false;
  device.onuncapturederror = ({ error }) => {
    failure ??= messageOf(error);
  };
  void device.lost.then(() => {
    lost = true;
  });
  /** Rejects after any failure: answers that still arrive are not reliable. */
  const checked = async <T>(answer: Promise<T>): Promise<T> => {
    const result = await answer.catch((error: Error) => {
      failure ??= error.message;
      return undefined;
    });
    if (lost) throw new Error('the GPU was lost');
    if (failure !== undefined) throw new Error(`the GPU failed (${failure})`);
    return result as T;
  };

  const nets = new Map<string, Net>();
  for (const model of models) nets.set(model.card.name, await loadNet(model, gpu));
  const readbackBuffers = new ReadbackBuffers(device);
  const maxBytes = Math.min(MAX_ANSWER_BYTES, device.limits.maxStorageBufferBindingSize);

  const writeRecord = (slot: GpuSlot, record: Float32Array | undefined): void => {
    if (!record) return;
    device.queue.writeBuffer(slot.page.records!, slot.recordAt * GROUP_BYTES, unshared(record));
  };

  const submit = async (jobs: readonly NetJob[]): Promise<StepResult[]> => {
    for (const { slot, record } of jobs) writeRecord(slot, record);
    const answers: number[] = [];
    let answerWordCount = 0;
    for (const job of jobs) {
      answers.push(answerWordCount);
      answerWordCount += answerWords(stageOf(job));
    }
    let workBytes = 0;
    const pages = new Map<Page, { net: Net; indices: number[] }>();
    jobs.forEach(({ net, slot: { page } }, i) => {
      getOrAdd(pages, page, () => ({ net, indices: [] })).indices.push(i);
    });
    const sections = [...pages].map(([page, { net, indices }]) => {
      const [own, places] = [indices.map((i) => jobs[i]), indices.map((i) => answers[i])];
      const { words, tiles } = writeWork(own, places, net.plan);
      const workAt = workBytes;
      workBytes += words.byteLength;
      return { page, net, words, tiles, workAt };
    });
    const answerBytes = 4 * answerWordCount;
    const buffers = readbackBuffers.acquire(workBytes, answerBytes);
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffers.answers, 0, answerBytes);
    const pass = encoder.beginComputePass();
    for (const { page, net, words, tiles, workAt } of sections) {
      device.queue.writeBuffer(buffers.work, workAt, words);
      const section = { workAt, workBytes: words.byteLength, tiles, answerBytes };
      net.encode(pass, page, buffers, section);
    }
    pass.end();
    const stages = jobs.map(stageOf);
    const compared = jobs.map(({ compare, slot }) => compare && slot.hasLastRgba);
    jobs.forEach(({ slot }, i) => {
      slot.currentHalf = 1 - slot.currentHalf;
      slot.stage = stages[i];
      slot.hasLastRgba = true;
    });
    try {
      return await buffers.send(encoder, answerBytes, (mapped) =>
        jobs.map((_, i) => readAnswer(mapped, answers[i], stages[i], compared[i])),
      );
    } finally {
      readbackBuffers.release(buffers);
    }
  };

  const write = (slot: GpuSlot, stage: number, state: Float32Array): void => {
    slot.stage = stage;
    slot.hasLastRgba = false;
    const at = slot.offsetOf(slot.currentHalf) * GROUP_BYTES;
    device.queue.writeBuffer(slot.page.states, at, unshared(state));
  };

  /** Bytes that a step of all patches and of `more` takes when fully grown, per portion. */
  const requiredBytes = (more: ReadonlyMap<Net, number>): [work: number, answers: number] => {
    let [work, heads, answers] = [0, 0, 0];
    for (const net of nets.values()) {
      const { card, plan, slots } = net;
      const count = slots.taken + (more.get(net) ?? 0);
      work += 4 * count * maxWorkWords(card.side, plan);
      heads += 4 * slots.pages.length * (JOBS_AT + SECTION_WORDS);
      answers += 4 * count * answerWords(card.side);
    }
    const portion = Math.min(1, maxBytes / answers);
    return [Math.ceil(work * portion) + heads, Math.ceil(answers * portion)];
  };

  return {
    /** Keeps `Gpu.instance` referenced. */
    gpu,
    /** By checkpoint name. */
    nets: nets as ReadonlyMap<string, Net>,
    /**
     * Reserves memory for one more patch of each of these nets and for a step of all patches when
     * fully grown; returns undefined if there is enough already.
     *
     * @throws EngineError out-of-memory: nothing was reserved, and everything else continues to work
     */
    reserve(wanted: readonly Net[]): Promise<void> | undefined {
      const counts = new Map<Net, number>();
      for (const net of wanted) counts.set(net, (counts.get(net) ?? 0) + 1);
      const short = [...counts].filter(([net, count]) => net.slots.free < count);
      if (short.length === 0 && readbackBuffers.hasRoomFor(...requiredBytes(counts)))
        return undefined;
      device.pushErrorScope('out-of-memory');
      const undo = short.map(([net, count]) => net.slots.grow(count));
      const most = requiredBytes(counts);
      const buffers = readbackBuffers.hasRoomFor(...most)
        ? undefined
        : readbackBuffers.preallocate(...most);
      return device.popErrorScope().then(
        (error) => {
          if (error) {
            for (const remove of undo) remove();
            for (const one of buffers ?? []) one.destroy();
            throw new EngineError('out-of-memory', messageOf(error));
          }
          if (buffers) readbackBuffers.keep(buffers);
        },
        // The device is lost, which the next call will report.
        () => {},
      );
    },
    /**
     * Adds a patch.
     *
     * @param state groups of four channels, [C/4, s, s, 4]
     * @param record from `Net.recordOf`
     */
    plant(net: Net, stage: number, state: Float32Array, record: Float32Array | undefined): GpuSlot {
      const slot = net.slots.acquire(stage);
      write(slot, stage, state);
      writeRecord(slot, record);
      return slot;
    },
    /** Replaces the states of a patch. @param state as for `plant` */
    write,
    /**
     * Steps patches; resolves in the order of `jobs`, rejects if the device is lost or has failed.
     */
    async step(jobs: readonly NetJob[]): Promise<StepResult[]> {
      // All portions are submitted before the first is awaited.
      const words = (job: NetJob): number => answerWords(stageOf(job));
      const portions = inPortions(jobs, words, maxBytes / 4).map(submit);
      return (await checked(Promise.all(portions))).flat();
    },
    /** Reads states as `plant` takes them; undefined if memory is short. Rejects as `step` does. */
    async read(slots: readonly GpuSlot[]): Promise<Float32Array[] | undefined> {
      device.pushErrorScope('validation');
      device.pushErrorScope('out-of-memory');
      const most = Math.min(MAX_READ_BYTES, device.limits.maxBufferSize);
      const copies = Promise.all(
        inPortions(slots, bytesOf, most).map((portion) => readStates(device, portion)),
      );
      // Awaited below, if memory was not short.
      copies.catch(() => {});
      // After a failed allocation, the commands that use the buffer are invalid too.
      const [full, wrong] = await Promise.all(
        [device.popErrorScope(), device.popErrorScope()].map((scope) => scope.catch(() => null)),
      );
      if (full && !lost) return undefined;
      if (wrong) failure ??= messageOf(wrong);
      return checked(copies.then((portions) => portions.flat()));
    },
    isLost: () => lost,
    destroy() {
      readbackBuffers.destroy();
      for (const net of nets.values()) net.destroy();
      device.destroy();
      // As long as the device is ending.
      void device.lost.then(() => gpu);
    },
  };
}

/** Bytes read through one buffer: a larger one is harder to allocate. */
const MAX_READ_BYTES = 64 * 2 ** 20;

const bytesOf = (slot: GpuSlot): number => slot.size * GROUP_BYTES;

/** Copies states to the CPU; the copy is submitted before the call returns. */
async function readStates(device: GPUDevice, slots: readonly GpuSlot[]): Promise<Float32Array[]> {
  const size = slots.reduce((sum, slot) => sum + bytesOf(slot), 0);
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    let at = 0;
    const spans = slots.map((slot) => {
      const bytes = bytesOf(slot);
      const from = slot.offsetOf(slot.currentHalf) * GROUP_BYTES;
      encoder.copyBufferToBuffer(slot.page.states, from, buffer, at, bytes);
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

/** The first line of a driver's message, which may be long or empty. */
function messageOf(error: GPUError): string {
  const [first] = error.message.split('\n');
  const { name } = error.constructor;
  return name === 'GPUOutOfMemoryError' ? `out of memory: ${first}` : first || name;
}

/** WebGPU types exclude shared buffers. */
const unshared = (values: Float32Array): Float32Array<ArrayBuffer> =>
  values as Float32Array<ArrayBuffer>;

/**
 * Splits items, in order, into portions of at most `most` in size; a larger item is its own
 * portion.
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

/** The answer to one patch's step. */
export type StepResult = ReturnType<typeof readAnswer>;

function readAnswer(mapped: ArrayBuffer, at: number, stage: number, compared: boolean) {
  const [flag] = new Uint32Array(mapped, 4 * at, 1);
  // Copied, since the buffer moves between threads.
  const pixels = new Uint8Array(mapped, 4 * (at + ANSWER_HEAD), 5 * stage * stage).slice();
  return {
    /** [s, s, 4] RGBA, then [s, s] presence. */
    pixels,
    /** Largest change of a byte of RGBA, 0…255; undefined if there was no step to compare with. */
    change: compared ? flag : undefined,
    broken: flag === BROKEN,
  };
}
