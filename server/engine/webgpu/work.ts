/**
 * The work buffer that kernels read for one page, and the layout of their answers, in 32-bit words.
 */
import type { GpuSlot } from './slots.ts';

/** One patch's step. */
export interface Job {
  readonly slot: GpuSlot;
  readonly divide: boolean;
  /** [s, s] of the stage after division. */
  readonly keep?: Uint8Array;
  /** Whether to compare with the last step. */
  readonly compare: boolean;
}

/** Side of the patch after the step. */
export const stageOf = ({ slot, divide }: Job): number => (divide ? 2 * slot.stage : slot.stage);

/** Workgroups per row of a dispatch, below the limit of every GPU. */
export const ROW = 32_768;

/** Words before the jobs: the number of tiles, the offset of their list, and two unused ones. */
export const JOBS_AT = 4;

/** The words of a job, in order. */
export const JOB_FIELDS = [
  'source',
  'destination',
  'seen',
  'record',
  'side',
  'keep',
  'answer',
  'flags',
] as const;

/** Flag of a job: cells divide before the step. */
export const DIVIDES = 1;
/** Flag of a job: compare with the last step. */
export const COMPARES = 2;

/**
 * Words before RGBA and presence in an answer: the largest change or `BROKEN`, and the random seed.
 */
export const ANSWER_HEAD = 2;
/** Marks a state that holds NaN or infinity. */
export const BROKEN = 256;

/** Words of an answer. */
export const answerWords = (stage: number): number =>
  ANSWER_HEAD + stage * stage + Math.ceil((stage * stage) / 4);

/** Largest number of work words for one patch. */
export const maxWorkWords = (stage: number, tileWidth: number, tileHeight: number): number =>
  JOB_FIELDS.length +
  2 * Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight) +
  Math.ceil((stage * stage) / 32);

/** The steps of one page. */
export interface WorkOptions {
  readonly jobs: readonly Job[];
  /** Offset of each job's answer, words. */
  readonly answers: readonly number[];
  readonly tileWidth: number;
  readonly tileHeight: number;
}

/** A growing array of 32-bit words. */
export class Words {
  private words = new Uint32Array(1024);
  length = 0;

  push(...values: number[]): void {
    this.reserve(values.length);
    for (const value of values) this.words[this.length++] = value;
  }

  /** Appends zeros. @returns the offset of the first */
  skip(count: number): number {
    this.reserve(count);
    this.words.fill(0, this.length, (this.length += count));
    return this.length - count;
  }

  set(at: number, value: number): void {
    this.words[at] = value;
  }

  /** Sets a bit, counted from the start of a word. */
  setBit(at: number, bit: number): void {
    this.words[at + (bit >>> 5)] |= 1 << (bit & 31);
  }

  all(): Uint32Array<ArrayBuffer> {
    return this.words.subarray(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.words.length) return;
    const larger = new Uint32Array(2 * (this.length + count));
    larger.set(this.words);
    this.words = larger;
  }
}

/**
 * Writes the section of a page.
 *
 * @returns how many tiles it has
 */
export function writeWork(
  words: Words,
  { jobs, answers, tileWidth, tileHeight }: WorkOptions,
): number {
  const start = words.skip(JOBS_AT + JOB_FIELDS.length * jobs.length);
  jobs.forEach((job, i) => {
    const { slot: place, divide, keep, compare } = job;
    const fields = {
      source: place.offsetOf(place.currentHalf),
      destination: place.offsetOf(1 - place.currentHalf),
      seen: place.seenAt,
      record: place.recordAt,
      side: stageOf(job),
      keep: keep ? writeKeep(words, keep) - start : 0,
      answer: answers[i],
      flags: (divide ? DIVIDES : 0) + (compare ? COMPARES : 0),
    };
    const at = start + JOBS_AT + i * JOB_FIELDS.length;
    JOB_FIELDS.forEach((field, k) => {
      words.set(at + k, fields[field]);
    });
  });
  const list = words.length;
  let tiles = 0;
  jobs.forEach((job, i) => {
    const side = stageOf(job);
    for (let y = 0; y < side; y += tileHeight) {
      for (let x = 0; x < side; x += tileWidth) {
        words.push(i, (y << 16) + x);
        tiles++;
      }
    }
  });
  words.set(start, tiles);
  words.set(start + 1, list - start);
  return tiles;
}

function writeKeep(words: Words, keep: Uint8Array): number {
  const at = words.skip(Math.ceil(keep.length / 32));
  for (let cell = 0; cell < keep.length; cell++) if (keep[cell] !== 0) words.setBit(at, cell);
  return at;
}
