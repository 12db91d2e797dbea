/** What a call asks of one page, as shaders read it: words of 32 bits; and what they answer. */
import type { GpuSlot } from './slots.ts';

/** One patch's step. */
export interface Job {
  readonly slot: GpuSlot;
  readonly divide: boolean;
  /** [s, s] of the stage after division. */
  readonly keep?: Uint8Array;
  /** Whether there is a last step to compare with. */
  readonly compare: boolean;
}

/** Workgroups in a row of a dispatch; more than one row when there are more. Fewer than any GPU's limit. */
export const ROW = 32_768;

/** The section of a page begins with how many tiles there are, and the word where they are listed. */
export const JOBS_AT = 4;

/** Words of a job, by their place. */
export const JOB_FIELDS = [
  'source',
  'goal',
  'seen',
  'record',
  'side',
  'keep',
  'answer',
  'flags',
] as const;

export const DIVIDES = 1;
export const COMPARES = 2;

/** An answer begins with the largest change, or BROKEN, and the seed of chance; then come RGBA and presence. */
export const ANSWER_HEAD = 2;
export const BROKEN = 256;

export const answerWords = (stage: number): number =>
  ANSWER_HEAD + stage * stage + Math.ceil((stage * stage) / 4);

/** Words of work for one patch, and for its page, at most. */
export const maxWorkWords = (stage: number, tileWidth: number, tileHeight: number): number =>
  JOB_FIELDS.length +
  2 * Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight) +
  Math.ceil((stage * stage) / 32);

export interface WorkOptions {
  readonly jobs: readonly Job[];
  /** Word of each job's answer. */
  readonly answers: readonly number[];
  readonly tileWidth: number;
  readonly tileHeight: number;
}

/** Numbers that grow as they are written. */
export class Words {
  private words = new Uint32Array(1024);
  length = 0;

  push(...values: number[]): void {
    this.reserve(values.length);
    for (const value of values) this.words[this.length++] = value;
  }

  /** Room for `count` zeros; returns where it begins. */
  skip(count: number): number {
    this.reserve(count);
    this.words.fill(0, this.length, (this.length += count));
    return this.length - count;
  }

  set(at: number, value: number): void {
    this.words[at] = value;
  }

  /** Sets bit `bit` of the bits that begin at a word. */
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
  jobs.forEach(({ slot: place, divide, keep, compare }, i) => {
    const side = divide ? 2 * place.stage : place.stage;
    const fields = {
      source: place.offsetOf(place.currentHalf),
      goal: place.offsetOf(1 - place.currentHalf),
      seen: place.seenAt,
      record: place.recordAt,
      side,
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
  jobs.forEach(({ slot: place, divide }, i) => {
    const side = divide ? 2 * place.stage : place.stage;
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
