/**
 * All that lives on one device, and dies with it: nets, states, mailboxes. Calls are submitted before they return; what
 * they promise is the answer on its way back.
 */
import type { Model } from '../../vnca/checkpoint.ts';
import type { LossyResource } from '../core/recovery.ts';
import { EngineError } from '../engine.ts';
import type { Gpu } from './device.ts';
import { loadNet, type Net } from './net.ts';
import { ReadbackBuffers, readMapped } from './readback.ts';
import { type GpuSlot, GROUP_BYTES, type Page } from './slots.ts';
import {
  ANSWER_HEAD,
  answerWords,
  BROKEN,
  JOBS_AT,
  type Job,
  maxWorkWords,
  Words,
  writeWork,
} from './work.ts';

/** Of one patch's step. */
export interface StepResult {
  /** [s, s, 4] RGBA, then [s, s] presence. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** 0…255, or `undefined` where there was nothing to compare with. */
  readonly change: number | undefined;
  readonly broken: boolean;
}

export interface NetJob extends Job {
  readonly net: Net;
}

export interface Machine extends LossyResource {
  /** Held as long as the machine is: see `Gpu.instance`. */
  readonly gpu: Gpu;
  /** By name of the checkpoint. */
  readonly nets: ReadonlyMap<string, Net>;
  /**
   * Makes room for one more patch of each of these nets, and for what a step of all patches answers, grown; `undefined` where
   * there is room already.
   *
   * @throws EngineError out-of-memory: there is none; all else goes on
   */
  reserve(nets: readonly Net[]): Promise<void> | undefined;
  /** @param state groups of four channels [C/4, s, s, 4] @param record of `Net.recordOf` */
  plant(net: Net, stage: number, state: Float32Array, record: Float32Array | undefined): GpuSlot;
  /** Puts other states into a place, as `plant` takes them. */
  write(place: GpuSlot, stage: number, state: Float32Array): void;
  release(net: Net, place: GpuSlot): void;
  /** @returns in the order asked; rejected when the device is lost, or has failed */
  step(jobs: readonly NetJob[]): Promise<StepResult[]>;
  /** The states, as `plant` takes them; `undefined` where there is no memory to read them into. Rejected as `step` is. */
  read(places: readonly GpuSlot[]): Promise<Float32Array[] | undefined>;
}

/** Answers of one submission, which must fit one binding; more than this is sent in portions. */
const MOST_ANSWER_BYTES = 64 * 2 ** 20;
/** Where a page's section of the work may begin. */
const SECTION_WORDS = 64;

/** @throws EngineError unavailable, Error */
export async function createMachine(
  models: readonly Model[],
  gpu: Gpu,
  half: boolean,
): Promise<Machine> {
  const { device } = gpu;
  let failure: string | undefined;
  let lost = false;
  device.onuncapturederror = ({ error }) => {
    failure ??= wordsOf(error);
  };
  void device.lost.then(() => {
    lost = true;
  });
  /** Answers that came although something had failed are not to be trusted. */
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
  for (const model of models) nets.set(model.card.name, await loadNet(model, gpu, half));
  const boxes = new ReadbackBuffers(device);
  const mostBytes = Math.min(MOST_ANSWER_BYTES, device.limits.maxStorageBufferBindingSize);

  const submit = async (jobs: readonly NetJob[]): Promise<StepResult[]> => {
    const answers: number[] = [];
    let answerWordCount = 0;
    for (const job of jobs) {
      answers.push(answerWordCount);
      answerWordCount += answerWords(stageOf(job));
    }
    const words = new Words();
    const sections = [...byPage(jobs)].map(([page, { net, indices }]) => {
      const from = words.length;
      const tiles = writeWork(words, {
        jobs: indices.map((i) => jobs[i]),
        answers: indices.map((i) => answers[i]),
        ...{ tileWidth: net.plan.tileWidth, tileHeight: net.plan.tileHeight },
      });
      words.skip(-words.length & (SECTION_WORDS - 1));
      return { page, net, tiles, workAt: 4 * from, workBytes: 4 * (words.length - from) };
    });
    const answerBytes = 4 * answerWordCount;
    const box = boxes.acquire(4 * words.length, answerBytes);
    device.queue.writeBuffer(box.work, 0, words.all());
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(box.answers, 0, answerBytes);
    const pass = encoder.beginComputePass();
    for (const { page, net, ...section } of sections) {
      net.encode(pass, page, box, { ...section, answerBytes });
    }
    pass.end();
    const stages = jobs.map(stageOf);
    const compared = jobs.map(({ compare, slot: place }) => compare && place.hasLastRgba);
    jobs.forEach(({ slot: place }, i) => {
      place.currentHalf = 1 - place.currentHalf;
      place.stage = stages[i];
      place.hasLastRgba = true;
    });
    try {
      return await box.send(encoder, answerBytes, (mapped) =>
        jobs.map((_, i) => readAnswer(mapped, answers[i], stages[i], compared[i])),
      );
    } finally {
      boxes.release(box);
    }
  };

  const write = (place: GpuSlot, stage: number, state: Float32Array): void => {
    place.stage = stage;
    place.hasLastRgba = false;
    const at = place.offsetOf(place.currentHalf) * GROUP_BYTES;
    device.queue.writeBuffer(place.page.states, at, borrowed(state));
  };

  /** Bytes of work and of answers of a step of all patches, grown, and of `more`; of a portion of it, where it is more than one. */
  const mostOf = (more: ReadonlyMap<Net, number>): [work: number, answers: number] => {
    let [work, heads, answers] = [0, 0, 0];
    for (const net of nets.values()) {
      const { card, plan, slots } = net;
      const count = slots.taken + (more.get(net) ?? 0);
      work += 4 * count * maxWorkWords(card.side, plan.tileWidth, plan.tileHeight);
      heads += 4 * slots.pages.length * (JOBS_AT + SECTION_WORDS);
      answers += 4 * count * answerWords(card.side);
    }
    const portion = Math.min(1, mostBytes / answers);
    return [Math.ceil(work * portion) + heads, Math.ceil(answers * portion)];
  };

  return {
    gpu,
    nets,
    reserve(wanted) {
      const counts = new Map<Net, number>();
      for (const net of wanted) counts.set(net, (counts.get(net) ?? 0) + 1);
      const short = [...counts].filter(([net, count]) => net.slots.free < count);
      if (short.length === 0 && boxes.hasRoomFor(...mostOf(counts))) return undefined;
      device.pushErrorScope('out-of-memory');
      const undo = short.map(([net, count]) => net.slots.grow(count));
      const most = mostOf(counts);
      const laying = boxes.hasRoomFor(...most) ? undefined : boxes.preallocate(...most);
      return device.popErrorScope().then(
        (error) => {
          if (!error) {
            laying?.commit();
            return;
          }
          for (const takeAway of undo) takeAway();
          laying?.undo();
          throw new EngineError('out-of-memory', wordsOf(error));
        },
        // The device is lost: whoever asks it next will notice.
        () => {},
      );
    },
    plant(net, stage, state, record) {
      const place = net.slots.acquire(stage);
      write(place, stage, state);
      if (record) {
        device.queue.writeBuffer(
          place.page.records!,
          place.recordAt * GROUP_BYTES,
          borrowed(record),
        );
      }
      return place;
    },
    write,
    release: (net, place) => net.slots.release(place),
    async step(jobs) {
      // All portions are submitted before the first is awaited.
      const words = (job: NetJob): number => answerWords(stageOf(job));
      const portions = inPortions(jobs, words, mostBytes / 4).map(submit);
      return (await checked(Promise.all(portions))).flat();
    },
    async read(places) {
      device.pushErrorScope('validation');
      device.pushErrorScope('out-of-memory');
      const copies = Promise.allSettled(
        readPortions(places, device.limits.maxBufferSize).map((portion) =>
          readStates(device, portion),
        ),
      );
      // Commands that name a buffer that was not made are not valid either.
      const [full, wrong] = await Promise.all(
        [device.popErrorScope(), device.popErrorScope()].map((scope) => scope.catch(() => null)),
      );
      const read = await copies;
      if (full && !lost) return undefined;
      if (wrong) failure ??= wordsOf(wrong);
      return checked(
        Promise.all(
          read.map((copy) => {
            if (copy.status === 'rejected') throw copy.reason;
            return copy.value;
          }),
        ).then((portions) => portions.flat()),
      );
    },
    isLost: () => lost,
    destroy() {
      boxes.destroy();
      for (const net of nets.values()) net.destroy();
      device.destroy();
    },
  };
}

/** Copies of so many bytes at most are read in one buffer: a large one is harder to find room for. */
const MOST_READ_BYTES = 64 * 2 ** 20;

const bytesOf = (place: GpuSlot): number => place.size * GROUP_BYTES;

function readPortions(places: readonly GpuSlot[], mostBytes: number): GpuSlot[][] {
  return inPortions(places, bytesOf, Math.min(MOST_READ_BYTES, mostBytes));
}

/** Submits a copy of some states at once. @returns them, as `Machine.plant` takes them */
async function readStates(device: GPUDevice, places: readonly GpuSlot[]): Promise<Float32Array[]> {
  const size = places.reduce((sum, place) => sum + bytesOf(place), 0);
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    let at = 0;
    const spans = places.map((place) => {
      const bytes = bytesOf(place);
      const from = place.offsetOf(place.currentHalf) * GROUP_BYTES;
      encoder.copyBufferToBuffer(place.page.states, from, buffer, at, bytes);
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

/** A driver's message goes on for many lines, or is empty. */
function wordsOf(error: GPUError): string {
  const [first] = error.message.split('\n');
  const { name } = error.constructor;
  return name === 'GPUOutOfMemoryError' ? `out of memory: ${first}` : first || name;
}

const stageOf = ({ slot: place, divide }: Job): number => (divide ? 2 * place.stage : place.stage);

/** TypeScript asks for arrays that are not shared between threads. */
const borrowed = (values: Float32Array): Float32Array<ArrayBuffer> =>
  values as Float32Array<ArrayBuffer>;

function byPage(jobs: readonly NetJob[]): Map<Page, { net: Net; indices: number[] }> {
  const pages = new Map<Page, { net: Net; indices: number[] }>();
  jobs.forEach(({ net, slot: { page } }, i) => {
    const found = pages.get(page);
    if (found) found.indices.push(i);
    else pages.set(page, { net, indices: [i] });
  });
  return pages;
}

/** Items in portions of a size of at most `most` each, in order; one that is larger is a portion by itself. */
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

function readAnswer(mapped: ArrayBuffer, at: number, stage: number, compared: boolean): StepResult {
  const [flag] = new Uint32Array(mapped, 4 * at, 1);
  // Of their own buffer, which moves between threads.
  const pixels = new Uint8Array(mapped, 4 * (at + ANSWER_HEAD), 5 * stage * stage).slice();
  return { pixels, change: compared ? flag : undefined, broken: flag === BROKEN };
}
