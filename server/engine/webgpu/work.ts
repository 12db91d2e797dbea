/**
 * The work buffer that kernels read for one page, and the layout of their answers, in 32-bit words.
 */
import type { Plan } from './plan.ts';

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

export const tilesOf = (stage: number, { tileWidth, tileHeight }: Plan): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Number of words of a mask, a bit per cell. */
export const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Largest number of work words for one patch. */
export const maxWorkWords = (stage: number, plan: Plan): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, plan) + 2 * maskWords(stage * stage);

/** Alignment of a page's section of the work, words. */
export const SECTION_WORDS = 64;
