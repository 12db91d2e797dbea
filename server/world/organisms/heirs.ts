/** Chooses and breeds the heirs of a room's organisms, which begin the room's next day. */
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { isWithin, type LatentBounds } from '../../vnca/genome.ts';
import type { PlantedSeed } from '../commands.ts';
import { crossLatents } from '../create-latent.ts';

/** Maximum number of organisms that are chosen to have heirs, one heir each. */
const MOST = 6;
/**
 * Share of the second parent in a cross. Not one half, because crossing A with B and crossing B
 * with A would then give the same heir.
 */
const MIX = 0.35;

/**
 * An organism that may be chosen to have heirs. If `kind` is empty (for a creature without a name),
 * no other organism counts as one of the same kind.
 */
export interface Candidate
  extends Pick<OrganismView, 'id' | 'kind' | 'origin' | 'born' | 'healed'> {
  readonly children: number;
  /** The organism's latent, [Z]. */
  readonly latent: Float32Array;
}

/** The seed of an heir, as the journal stores it. */
export type HeirSeed = Extract<PlantedSeed, { from: 'heir' }>;

/**
 * Chooses the organisms that will have heirs, best first. An organism has three values: its number
 * of healed wounds, its age and its number of children. Each is divided by the highest value among
 * the candidates, and the sum is the score. No kind gets a second organism before every kind has
 * one.
 *
 * @param tick current tick
 * @returns up to 6 candidates
 */
export function chooseAncestors(candidates: readonly Candidate[], tick: number): Candidate[] {
  const merits: readonly ((one: Candidate) => number)[] = [
    ({ healed }) => healed,
    ({ born }) => tick - born,
    ({ children }) => children,
  ];
  const most = merits.map((merit) => Math.max(1, ...candidates.map(merit)));
  const score = (one: Candidate): number =>
    merits.reduce((sum, merit, i) => sum + merit(one) / most[i], 0);
  const inOrder = candidates.toSorted((a, b) => score(b) - score(a) || a.id - b.id);
  const isFirst = ({ kind }: Candidate, i: number): boolean =>
    kind === '' || inOrder.findIndex((one) => one.kind === kind) === i;
  const first = inOrder.filter(isFirst);
  return [...first, ...inOrder.filter((one) => !first.includes(one))].slice(0, MOST);
}

/**
 * Breeds one heir for each chosen organism, by crossing it with the next chosen organism. The heir
 * is a copy if only one organism was chosen or if the cross is out of bounds.
 *
 * @param bounds the checkpoint's bounds for latents
 */
export function breed(chosen: readonly Candidate[], bounds: LatentBounds): HeirSeed[] {
  return chosen.map((one, i) => {
    const other = chosen[(i + 1) % chosen.length];
    const { id, kind, origin, latent } = one;
    const cross = crossLatents(latent, other.latent, MIX);
    if (other !== one && isWithin(cross, bounds)) {
      const parents = [id, other.id];
      return { from: 'heir', latent: [...cross], origin: 'cross', kind: '', parents };
    }
    return { from: 'heir', latent: [...latent], origin, kind, parents: [id] };
  });
}
