/** Lists of a room whose items are stored one by one, apart from its state and history. */
import type * as v from 'valibot';
import { padded, parsed, sealed } from './record-access.ts';
import { type Store, spanOf } from './store.ts';

const prefixOf = (room: string, list: string): string => `moderation/${room}/${list}/`;

/** A list's items, by ascending id. @throws StoreError damaged, other-version */
export async function readItems<T>(
  { records }: Store,
  room: string,
  list: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T[]> {
  const entries = await records.list(spanOf(prefixOf(room, list)));
  return entries.map(({ key, bytes }) => parsed(key, bytes, schema));
}

/**
 * Stores an item, or removes it if there is none.
 *
 * @throws StoreError
 */
export function putItem(
  { records }: Store,
  place: { readonly room: string; readonly list: string; readonly id: number },
  item?: unknown,
): Promise<void> {
  const key = prefixOf(place.room, place.list) + padded(place.id);
  return records.write(item === undefined ? { remove: [key] } : { put: [sealed(key, item)] });
}
