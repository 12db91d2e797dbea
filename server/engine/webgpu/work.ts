/**
 * The work buffer that kernels read for one page, and the layout of their answers, in 32-bit words.
 */
import type { Plan } from './plan.ts';
import type { GpuSlot } from './slots.ts';

/** One patch's step. */
export interface Job {
  readonly slot: GpuSlot;
  readonly divide: boolean;
  /** [s, s] of the stage after division. */
  readonly keep?: Uint8Array;
  /** [s, s] of the stage after division. */
  readonly closed?: Uint8Array;
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
  'closed',
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

/** How patches are divided into tiles. */
type Tiling = Pick<Plan, 'tileWidth' | 'tileHeight'>;

const tilesOf = (stage: number, { tileWidth, tileHeight }: Tiling): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Words of a mask, a bit per cell. */
const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Largest number of work words for one patch. */
export const maxWorkWords = (stage: number, tiling: Tiling): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, tiling) + 2 * maskWords(stage * stage);

/** Alignment of a page's section of the work, words. */
export const SECTION_WORDS = 64;

/**
 * The section of a page: the jobs, their masks, and the list of tiles.
 *
 * @param answers offset of each job's answer, words
 */
export function writeWork(jobs: readonly Job[], answers: readonly number[], tiling: Tiling) {
  const tiles = jobs.reduce((sum, job) => sum + tilesOf(stageOf(job), tiling), 0);
  let mask = JOBS_AT + JOB_FIELDS.length * jobs.length;
  const masks = jobs.flatMap(({ keep, closed }) => [keep, closed]);
  let tile = masks.reduce((at, one) => at + maskWords(one?.length ?? 0), mask);
  const sections = Math.ceil((tile + 2 * tiles) / SECTION_WORDS);
  const words = new Uint32Array(SECTION_WORDS * sections);
  words[0] = tiles;
  words[1] = tile;
  jobs.forEach((job, i) => {
    const { slot, divide, keep, closed, compare } = job;
    const side = stageOf(job);
    /** @returns where the bits of a mask are, in words; 0 without one */
    const writeMask = (cells: Uint8Array | undefined): number => {
      if (!cells) return 0;
      const at = mask;
      cells.forEach((bit, cell) => {
        if (bit !== 0) words[at + (cell >>> 5)] |= 1 << (cell & 31);
      });
      mask += maskWords(cells.length);
      return at;
    };
    const fields = {
      source: slot.offsetOf(slot.currentHalf),
      destination: slot.offsetOf(1 - slot.currentHalf),
      seen: slot.seenAt,
      record: slot.recordAt,
      side,
      keep: writeMask(keep),
      closed: writeMask(closed),
      answer: answers[i],
      flags: (divide ? DIVIDES : 0) + (compare ? COMPARES : 0),
    };
    const own = JOB_FIELDS.map((field) => fields[field]);
    words.set(own, JOBS_AT + i * JOB_FIELDS.length);
    for (let y = 0; y < side; y += tiling.tileHeight) {
      for (let x = 0; x < side; x += tiling.tileWidth) {
        words[tile++] = i;
        words[tile++] = (y << 16) + x;
      }
    }
  });
  return { words, tiles };
}
