/** Keeps a page's seat in the tab: a reload is the same participant, another tab is another. */
import type { SeatMemory } from './connection.ts';

export function tabSeat(room: string): SeatMemory {
  const key = `vivarium seat ${room}`;
  let kept: string | undefined;
  return {
    read() {
      try {
        return sessionStorage.getItem(key) ?? kept;
      } catch {
        // Some browsers refuse storage altogether: the seat lasts as long as the page then.
        return kept;
      }
    },
    write(token) {
      kept = token;
      try {
        sessionStorage.setItem(key, token);
      } catch {}
    },
  };
}
