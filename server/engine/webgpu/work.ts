/**
 * The layout, in 32-bit words, of the work buffer that kernels read for one page, and of the
 * answers that they write.
 */
import type { Plan } from './plan.ts';

/** Number of workgroups per row of a dispatch, below the limit of every GPU. */
export const ROW = 32_768;

/**
 * Number of words before the jobs: the number of tiles, the offset of their list, and two unused
 * words.
 */
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
/** Flag of a job: the kernel compares the picture with the patch's last picture. */
export const COMPARES = 2;

/**
 * Number of words before RGBA and aliveness in an answer: the largest change or `BROKEN`, and the
 * random seed.
 */
export const ANSWER_HEAD = 2;
/** Replaces the largest change in an answer if the state contains NaN or infinity. */
export const BROKEN = 256;

/** Number of words in an answer. */
export const answerWords = (stage: number): number =>
  ANSWER_HEAD + stage * stage + Math.ceil((stage * stage) / 4);

export const tilesOf = (stage: number, { tileWidth, tileHeight }: Plan): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Number of words in a mask, with one bit per cell. */
export const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Maximum number of words that one patch needs in the work buffer. */
export const maxWorkWords = (stage: number, plan: Plan): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, plan) + 2 * maskWords(stage * stage);

/** Alignment of a page's section of the work buffer, in words. */
export const SECTION_WORDS = 64;
