/**
 * Idle life: from time to time, a resting gallery creature looks like a relative (a similar
 * creature) for some steps, and then like itself again (rules IDL-1 … IDL-6).
 */
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import { chance, type RoomRules } from '../room-rules.ts';
import type { Species } from '../species.ts';
import { isChimera, isSameLatent } from './grafts.ts';
import type { Organism, Population } from './organism.ts';
import { isTurning } from './transformation.ts';

/**
 * The event that a resting creature has begun to look like a relative (a similar creature). Not
 * sent to visitors' pages.
 */
export interface Expressing {
  readonly what: 'expressing';
  readonly id: OrganismId;
  /** Gallery name of the relative. */
  readonly kind: string;
}

/**
 * Number of ticks between two steps of an organism while it temporarily looks like a relative (a
 * similar creature).
 */
export const EXPRESSION_PACE = 3;
/** Factor that spreads consecutive ids evenly over 0…2³²: the golden ratio as a 32-bit number. */
const EVENLY = 0x9e3779b1;
/**
 * An organism begins to look like a relative (a similar creature) after a random delay. This is the
 * maximum delay, as a share of the time for which the organism then looks like the relative.
 */
const LATE = 1 / 8;
/**
 * Only a limited number of organisms may look like a relative (a similar creature) at the same
 * time. On average, this share of the limit is used. Below 1, so that the limit is rarely reached.
 */
const USED = 0.6;

/**
 * Returns whether an organism should begin to look like a relative (a similar creature) in this
 * tick. The result does not depend on other organisms.
 *
 * @param when.share maximum share of the organisms that look like a relative at the same time,
 *   above 0
 * @param when.ticks number of ticks for which an organism looks like its relative
 */
export function hasTurn(
  organism: OrganismId,
  { seed, tick, share, ticks }: Readonly<Record<'seed' | 'tick' | 'share' | 'ticks', number>>,
): boolean {
  const cycle = Math.max(1, Math.round(ticks / (USED * share)));
  const late = Math.floor(ticks * LATE);
  const start = tick - (tick % cycle);
  const place = ((Math.imul(organism, EVENLY) >>> 0) / 2 ** 32 + chance(seed, 0, 0)) % 1;
  const due = start + Math.floor(place * Math.max(1, cycle - late));
  if (tick < due || tick > due + late) return false;
  return tick === due + Math.floor(chance(seed, organism, start) * (late + 1));
}

/**
 * Gives the latent of a relative (a similar creature) to each resting organism whose turn it is.
 * The caller must wake these organisms.
 *
 * @param now.tick number of completed ticks
 * @param now.sensed organisms near a visitor in the hall, which need not wait for their turn
 * @returns the organisms that have begun to look like a relative, oldest first
 */
export function beginExpressions(
  population: Population,
  species: Species,
  { relatives, liveliness: share, seed, life }: RoomRules,
  { tick, sensed }: { readonly tick: number; readonly sensed: ReadonlySet<Organism> },
): { readonly organism: Organism; readonly event: Expressing }[] {
  if (!relatives || share === 0) return [];
  const ticks = life.expressing * (relatives.lentSteps + relatives.homeSteps);
  const when = { seed, tick, share, ticks };
  let free =
    Math.ceil(share * population.staying.length) -
    population.awake.filter((one) => one.expression).length;
  const begun: { organism: Organism; event: Expressing }[] = [];
  for (const organism of population.all) {
    if (free <= 0) break;
    const { id, phase, hurt } = organism;
    if (phase !== 'asleep' || hurt !== undefined) continue;
    if (!sensed.has(organism) && !hasTurn(id, when)) continue;
    const others = relativesOf(organism, species, relatives);
    if (others.length === 0) continue;
    const index = others[Math.floor(chance(seed, id, tick) * others.length)];
    const { latent, name } = species.gallery[index];
    organism.expression = { latent, stepsLeft: relatives.lentSteps };
    organism.mustExpress = true;
    begun.push({ organism, event: { what: 'expressing', id, kind: name } });
    free--;
  }
  return begun;
}

/**
 * Returns the gallery indices of an organism's relatives. Only gallery creatures without grafts
 * have relatives.
 */
function relativesOf(
  { kind, latent, grafts }: Organism,
  { gallery }: Species,
  { of }: Relatives,
): readonly number[] {
  if (kind === '' || isChimera({ grafts })) return [];
  const index = gallery.findIndex(
    (entry) => entry.name === kind && isSameLatent(entry.latent, latent),
  );
  return of[index] ?? [];
}

/**
 * Counts a step of an organism. If the step was the last one with a relative's latent, gives the
 * organism its own latent back.
 *
 * @returns whether this step used the organism's own latent
 */
export function countStep(organism: Organism): boolean {
  const { expression } = organism;
  if (!expression || expression.stepsLeft === 0) return true;
  expression.stepsLeft--;
  if (expression.stepsLeft === 0) returnLatent(organism);
  return false;
}

/**
 * Gives an organism its own latent back. Restarts the counts of awake steps and of resting steps,
 * so that the organism has time to change back before it sleeps.
 */
function returnLatent(organism: Organism): void {
  organism.expression!.latent = organism.latent;
  organism.mustExpress = true;
  organism.awakeSteps = 0;
  organism.restTicks = 0;
}

/** Immediately ends the time for which an organism looks like a relative (a similar creature). */
export function breakOff(organism: Organism): void {
  if (!organism.expression) return;
  organism.expression = undefined;
  organism.mustExpress = true;
}

/**
 * Counts down the ticks that an awake organism has to wait before its next step.
 *
 * @returns whether the organism steps in this tick
 */
export function isDue(organism: Organism): boolean {
  const { pause, wait } = organism;
  if (pause) organism.pause = pause - 1;
  if (wait) organism.wait = wait - 1;
  return !pause && !wait;
}

/**
 * Returns for how many ticks an organism waits after a step; undefined if it steps again in the
 * next tick, or is asleep.
 */
export function waitAfterStep(organism: Organism, { life }: RoomRules): number | undefined {
  const { phase, hurt, closed, expression, transforming } = organism;
  if (phase === 'asleep') return undefined;
  const isBorn = phase === 'growing' || isTurning(organism);
  const isShown = (hurt ?? closed ?? transforming) !== undefined;
  const resting = expression ? life.expressing : isShown ? life.healing : 1;
  const interval = isBorn ? life.birth : resting;
  return interval > 1 ? interval - 1 : undefined;
}
