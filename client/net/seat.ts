/** Keeps a page's seat and name in the tab: a reload is the same participant, another tab is another. */
import type { SeatMemory } from './connection.ts';

export const tabSeat = (room: string): SeatMemory => tabMemory(`vivarium seat ${room}`);

/** What she has called herself in this tab. */
export const tabName = (): SeatMemory => tabMemory('vivarium name');

function tabMemory(key: string): SeatMemory {
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
