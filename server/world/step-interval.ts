/** When an organism takes its next step (rules PAC-1 and PAC-2). */
import type { LifeSettings } from '../../shared/vocabulary.ts';
import type { Organism } from './organism.ts';
import type { RoomRules } from './room-rules.ts';

/** Counts an awake organism's waits down by a tick. @returns whether it steps in this tick */
export function isDue(organism: Organism): boolean {
  const { pause, wait } = organism;
  if (pause) organism.pause = pause - 1;
  if (wait) organism.wait = wait - 1;
  return !pause && !wait;
}

/** The ticks between an organism's step and its next; undefined: none. */
export function waitAfterStep(
  { phase, hurt, closed, expression }: Organism,
  { areLiving, life }: RoomRules,
): number | undefined {
  if (!areLiving || phase === 'asleep') return undefined;
  const heals = hurt !== undefined || closed !== undefined;
  const interval = expression ? expressingPace(life) : heals ? life.healing : 1;
  const ticks = phase === 'growing' ? life.birth : interval;
  return ticks > 1 ? ticks - 1 : undefined;
}

/** Ticks between two steps of an organism that expresses a relative. */
export const expressingPace = ({ healing, expressing = healing }: LifeSettings): number =>
  expressing;
