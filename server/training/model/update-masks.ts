/** Which cells take part in each step of a segment, for rules that update cells by chance. */
import type { Random } from '../../../shared/random.ts';
import type { Compute, Values } from '../../autodiff/compute.ts';
import type { Card } from '../../vnca/card.ts';
import { drawUpdateMask } from '../../vnca/update-mask.ts';
import type { Segment } from './segments.ts';

/**
 * Draws the masks of a segment.
 *
 * @param patches N
 * @returns [N, s, s] for each step; nothing if all cells take part in every step
 */
export function drawMasks(
  { updateProbability }: Pick<Card['update'], 'updateProbability'>,
  patches: number,
  { stage, steps }: Pick<Segment, 'stage' | 'steps'>,
  random: Random,
): Float32Array[] {
  if (updateProbability >= 1) return [];
  return Array.from({ length: steps }, () => {
    const mask = new Float32Array(patches * stage * stage);
    drawUpdateMask(mask, updateProbability, random);
    return mask;
  });
}

/**
 * Uploads masks of a segment.
 *
 * @param masks [N, s, s] each
 * @returns `mask0…` [N, s, s, 1]
 */
export function uploadMasks(
  compute: Compute,
  masks: readonly Float32Array[],
  { stage }: Pick<Segment, 'stage'>,
): Values {
  const entries = masks.map((mask, i) => {
    const shape = [mask.length / stage ** 2, stage, stage, 1];
    return [`mask${i}`, compute.upload(shape, mask)] as const;
  });
  return Object.fromEntries(entries);
}
