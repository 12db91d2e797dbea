/** Which creatures an organism is named after. */
import type { OrganismView } from './vocabulary.ts';

/** Maximum number of creatures in a chimera's name. */
const MAX_NAMED = 2;

type Kind = Pick<OrganismView, 'kind' | 'origin'>;

/**
 * Returns the organism itself or, for a chimera, the creatures with the largest parts, the largest
 * first.
 */
export function namedParts(
  organism: Pick<OrganismView, 'kind' | 'origin' | 'parts'>,
): readonly Kind[] {
  const shares = new Map<string, Kind & { readonly share: number }>();
  for (const { kind, origin, share } of organism.parts ?? []) {
    const key = `${kind} ${origin}`;
    // Several painters may have painted the same creature.
    shares.set(key, { kind, origin, share: share + (shares.get(key)?.share ?? 0) });
  }
  const parts = [...shares.values()].filter(({ share }) => share > 0);
  if (parts.length === 0) return [organism];
  return parts.sort((a, b) => b.share - a.share).slice(0, MAX_NAMED);
}
