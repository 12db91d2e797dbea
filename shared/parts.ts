/** Which creatures an organism is named after. */
import type { OrganismView } from './vocabulary.ts';

/** Maximum number of parts in a chimera's name. */
const MAX_NAMED = 2;

type Kind = Pick<OrganismView, 'kind' | 'origin'>;

/** Returns the organism itself or, for a chimera, its largest parts, the largest first. */
export function namedParts(
  organism: Pick<OrganismView, 'kind' | 'origin' | 'parts'>,
): readonly Kind[] {
  const { parts } = organism;
  return parts ? [...parts].sort((a, b) => b.share - a.share).slice(0, MAX_NAMED) : [organism];
}
