/** Which creatures of the gallery a visitor is offered. */
import type { Event } from '../../shared/protocol/events.ts';

type Checkpoint = Event<'welcome'>['checkpoint'];

/** @returns gallery indices in the order to show them; `whole`: as the host shows the whole gallery */
export function offered(
  { gallery, featured }: Pick<Checkpoint, 'gallery' | 'featured'>,
  whole?: boolean,
): readonly number[] {
  return (!whole && featured) || [...gallery.keys()];
}

/** @returns the gallery indices that a search looks through, those of `offered` first */
export function searchable(checkpoint: Checkpoint, whole?: boolean): readonly number[] {
  const all = new Set([...offered(checkpoint, whole), ...checkpoint.gallery.keys()]);
  if (!whole) for (const index of checkpoint.unsuitable ?? []) all.delete(index);
  return [...all];
}
