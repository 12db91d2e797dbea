import type { OrganismView } from './vocabulary.ts';

/** Maximum number of creatures that the name of a chimera mentions. */
const MAX_NAMED = 2;

type Kind = Pick<OrganismView, 'kind' | 'origin'>;

/**
 * Returns the creatures after which an organism is named: for a chimera, the creatures with the
 * largest parts, largest first; for any other organism, its own kind.
 */
export function namedParts(
  organism: Pick<OrganismView, 'kind' | 'origin' | 'parts'>,
): readonly Kind[] {
  const shares = new Map<string, Kind & { readonly share: number }>();
  for (const { kind, origin, share } of organism.parts ?? []) {
    const key = `${kind} ${origin}`;
    // If several people painted the same creature, add up the shares of their parts.
    shares.set(key, { kind, origin, share: share + (shares.get(key)?.share ?? 0) });
  }
  const parts = [...shares.values()].filter(({ share }) => share > 0);
  if (parts.length === 0) return [organism];
  return parts.sort((a, b) => b.share - a.share).slice(0, MAX_NAMED);
}
