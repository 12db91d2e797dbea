/** When an organism takes its next step (rules PAC-1 and PAC-2). */
import type { Organism } from './organism.ts';
import type { RoomRules } from './room-rules.ts';
import { isTurning } from './transformation.ts';

/** Counts an awake organism's waits down by a tick. @returns whether it steps in this tick */
export function isDue(organism: Organism): boolean {
  const { pause, wait } = organism;
  if (pause) organism.pause = pause - 1;
  if (wait) organism.wait = wait - 1;
  return !pause && !wait;
}

/** The ticks between an organism's step and its next; undefined: none. */
export function waitAfterStep(organism: Organism, { life }: RoomRules): number | undefined {
  const { phase, hurt, closed, expression, transforming } = organism;
  if (phase === 'asleep') return undefined;
  const isBorn = phase === 'growing' || isTurning(organism);
  const isShown = (hurt ?? closed ?? transforming) !== undefined;
  const resting = expression ? life.expressing : isShown ? life.healing : 1;
  const interval = isBorn ? life.birth : resting;
  return interval > 1 ? interval - 1 : undefined;
}
