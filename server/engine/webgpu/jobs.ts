/** The steps of one submission, and the work buffer that describes them to kernels (`work.ts`). */

import { MAX_GENOMES } from '../../vnca/chimera.ts';
import type { PatchStep } from '../engine.ts';
import type { GpuPatch } from './net.ts';
import type { Plan } from './plan.ts';
import {
  COMPARES,
  DIVIDES,
  JOB_FIELDS,
  JOBS_AT,
  maskWords,
  SECTION_WORDS,
  tilesOf,
} from './work.ts';

/** A submitted step of one patch. */
export interface Job {
  readonly patch: GpuPatch;
  readonly step: PatchStep;
  /** Side of the patch after the step, in cells. */
  readonly stage: number;
  /** Offset of the step's answer in the answer buffer, in words. */
  readonly answer: number;
}

/** The section of the work buffer for one page: its jobs, their masks, and the list of tiles. */
export type Section = ReturnType<typeof writeSection>;

/**
 * Writes the section of the work buffer for one page. A tile is two words: its job above a bit per
 * genome that counts there, and its position.
 */
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
    /** @returns offset of the mask's bits, in words; 0 if there is no mask */
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
      record: species.record.shared ? 0 : slot * species.record.patchSize,
      side: stage,
      keep: writeMask(keep),
      closed: writeMask(closed),
      answer,
      flags: (divide ? DIVIDES : 0) + (hasLastRgba && !divide ? COMPARES : 0),
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
