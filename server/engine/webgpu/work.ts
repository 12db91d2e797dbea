/**
 * The work buffer that kernels read for one page, and the layout of their answers, in 32-bit words.
 */
import type { PatchStep } from '../engine.ts';
import type { GpuPatch } from './net.ts';
import type { Plan } from './plan.ts';

/** One patch's step, as it is submitted. */
export interface Job {
  readonly patch: GpuPatch;
  readonly step: PatchStep;
  /** Side of the patch after the step. */
  readonly stage: number;
  /** Offset of its answer, words. */
  readonly answer: number;
}

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

const tilesOf = (stage: number, { tileWidth, tileHeight }: Plan): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Words of a mask, a bit per cell. */
const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Largest number of work words for one patch. */
export const maxWorkWords = (stage: number, plan: Plan): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, plan) + 2 * maskWords(stage * stage);

/** Alignment of a page's section of the work, words. */
export const SECTION_WORDS = 64;

/** The section of a page: the jobs, their masks, and the list of tiles. */
export type Section = ReturnType<typeof writeSection>;

/** Writes the section of a page. */
export function writeSection(jobs: readonly Job[], plan: Plan) {
  const tiles = jobs.reduce((sum, { stage }) => sum + tilesOf(stage, plan), 0);
  let mask = JOBS_AT + JOB_FIELDS.length * jobs.length;
  const masks = jobs.flatMap(({ step: { keep, closed } }) => [keep, closed]);
  let tile = masks.reduce((at, one) => at + maskWords(one?.length ?? 0), mask);
  const sections = Math.ceil((tile + 2 * tiles) / SECTION_WORDS);
  const words = new Uint32Array(SECTION_WORDS * sections);
  words[0] = tiles;
  words[1] = tile;
  jobs.forEach(({ patch, step: { divide, keep, closed }, stage, answer }, i) => {
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
    const { species, slot, currentHalf, hasLastRgba } = patch;
    const fields = {
      source: patch.offsetOf(currentHalf),
      destination: patch.offsetOf(1 - currentHalf),
      seen: slot * species.cells,
      record: species.record.shared ? 0 : slot * species.record.size,
      side: stage,
      keep: writeMask(keep),
      closed: writeMask(closed),
      answer,
      flags: (divide ? DIVIDES : 0) + (hasLastRgba && !divide ? COMPARES : 0),
    };
    const own = JOB_FIELDS.map((field) => fields[field]);
    words.set(own, JOBS_AT + i * JOB_FIELDS.length);
    for (let y = 0; y < stage; y += plan.tileHeight) {
      for (let x = 0; x < stage; x += plan.tileWidth) {
        words[tile++] = i;
        words[tile++] = (y << 16) + x;
      }
    }
  });
  return { words, tiles };
}
