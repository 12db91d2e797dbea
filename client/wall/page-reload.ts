/** Takes a newer page from the server, but not over and over: something between them may go on giving out the old one. */

/** A page that was renewed and still is not the server's waits so long, ms. */
const PATIENCE = 60_000;
const KEY = 'vivarium wall renewed';

/**
 * @param now ms, of a clock that goes on across reloads
 * @param memory that outlives the page
 * @returns whether it may be done now
 */
export function mayRenew(now: number, memory: Pick<Storage, 'getItem' | 'setItem'>): boolean {
  try {
    const last = Number(memory.getItem(KEY) ?? Number.NEGATIVE_INFINITY);
    if (now - last < PATIENCE && now >= last) return false;
    memory.setItem(KEY, String(now));
    return true;
  } catch {
    // Without a memory it cannot know how often it has been done.
    return false;
  }
}
