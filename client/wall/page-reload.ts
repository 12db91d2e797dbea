/** Limits reloads for a newer page: a cache in between may keep serving the old one. */

/** Minimum time between two reloads, ms. */
const PATIENCE = 60_000;
const KEY = 'vivarium wall renewed';

/**
 * Whether the page may reload now.
 *
 * @param now ms, of a clock that continues across reloads
 * @param storage returns storage that survives a reload; throws where it is blocked
 */
export function mayRenew(
  now: number,
  storage: () => Pick<Storage, 'getItem' | 'setItem'>,
): boolean {
  try {
    const memory = storage();
    const last = Number(memory.getItem(KEY) ?? Number.NEGATIVE_INFINITY);
    if (now - last < PATIENCE && now >= last) return false;
    memory.setItem(KEY, String(now));
    return true;
  } catch {
    // Without storage, the page cannot know how often it has reloaded.
    return false;
  }
}
