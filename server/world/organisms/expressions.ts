/**
 * Idle life: now and then a resting creature of the gallery expresses a relative for some steps, and
 * is itself again (rules IDL-1 … IDL-6).
 */
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import { chance, type RoomRules } from '../room-rules.ts';
import type { Species } from '../species.ts';
import type { Organism } from './organism.ts';
import type { Population } from './population.ts';
import { isTurning, nextLatent } from './transformation.ts';

/** A resting creature has begun to express a relative. Pages are not told: they see it. */
export interface Expressing {
  readonly what: 'expressing';
  readonly id: OrganismId;
  /** Gallery name of the relative. */
  readonly kind: string;
}

/** Consecutive numbers times this, modulo 1, are spread evenly (the golden ratio). */
const EVENLY = 0x9e3779b1;
/** Share of an expression's time by which a turn may come late, by chance. */
const LATE = 1 / 8;
/** Share of the budget that turns take up, so that hardly any finds it exhausted. */
const USED = 0.6;

/**
 * Whether an organism's turn comes in a tick; that depends on no other organism. Turns come at such
 * a rate that somewhat less than the share is expressing, and those of consecutive numbers lie
 * apart.
 *
 * @param when.share of the organisms that may express at once, above 0
 * @param when.ticks that an expression takes
 */
export function hasTurn(
  organism: OrganismId,
  when: {
    readonly seed: number;
    readonly tick: number;
    readonly share: number;
    readonly ticks: number;
  },
): boolean {
  const { seed, tick, share, ticks } = when;
  const cycle = Math.max(1, Math.round(ticks / (USED * share)));
  const late = Math.floor(ticks * LATE);
  const start = tick - (tick % cycle);
  const place = ((Math.imul(organism, EVENLY) >>> 0) / 2 ** 32 + chance(seed, 0, 0)) % 1;
  const due = start + Math.floor(place * Math.max(1, cycle - late));
  if (tick < due || tick > due + late) return false;
  return tick === due + Math.floor(chance(seed, organism, start) * (late + 1));
}

/**
 * Has resting organisms whose turn has come take on the latent of a relative. The caller wakes them.
 *
 * @param tick ticks completed
 * @returns who has begun, oldest first
 */
export function beginExpressions(
  population: Population,
  species: Species,
  { relatives, liveliness: share, seed, life }: RoomRules,
  tick: number,
): { readonly organism: Organism; readonly event: Expressing }[] {
  if (!relatives || share === 0) return [];
  const ticks = life.expressing * (relatives.lentSteps + relatives.homeSteps);
  const when = { seed, tick, share, ticks };
  let free =
    Math.ceil(share * population.size) - population.awake.filter((one) => one.expression).length;
  const begun: { organism: Organism; event: Expressing }[] = [];
  for (const organism of population.all) {
    if (free <= 0) break;
    const { id, phase, hurt } = organism;
    if (phase !== 'asleep' || hurt !== undefined || !hasTurn(id, when)) continue;
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

/** Gallery indices of whom an organism can express: none unless it is a creature of the gallery. */
function relativesOf(
  { kind, latent }: Organism,
  { gallery }: Species,
  { of }: Relatives,
): readonly number[] {
  if (kind === '') return [];
  const index = gallery.findIndex(
    (entry) => entry.name === kind && entry.latent.every((value, i) => value === latent[i]),
  );
  return of[index] ?? [];
}

/**
 * Counts a step of an expression. After the last one with the relative's latent the organism gets
 * its own back.
 *
 * @returns whether it is on its way home
 */
export function countStep(organism: Organism): boolean {
  const { expression } = organism;
  if (!expression || expression.stepsLeft === 0) return true;
  expression.stepsLeft--;
  if (expression.stepsLeft === 0) returnLatent(organism);
  return false;
}

/** Gives an organism its own latent back, from its next step on, which counts as a touch. */
function returnLatent(organism: Organism): void {
  organism.expression!.latent = organism.latent;
  organism.mustExpress = true;
  organism.awakeSteps = 0;
  organism.restTicks = 0;
}

/** The latent that an organism's next step must tell the engine, [Z]; undefined: it knows. */
export function takeExpressed(organism: Organism): Float32Array | undefined {
  const { mustExpress, expression, transforming, latent } = organism;
  organism.mustExpress = false;
  if (transforming && transforming.stepsLeft > 0) return nextLatent(organism, transforming);
  return mustExpress ? (expression?.latent ?? latent) : undefined;
}

/** Ends an expression at once, because of a wound. */
export function breakOff(organism: Organism): void {
  if (!organism.expression) return;
  organism.expression = undefined;
  organism.mustExpress = true;
}

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
