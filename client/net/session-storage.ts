/** Keeps a page's seat and name in the tab: a reload is the same participant, another tab is another. */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { SeatMemory } from './connection.ts';
import type { RequestTracker } from './request-tracker.ts';

export const tabSeatStorage = (room: string): SeatMemory => tabMemory(`vivarium seat ${room}`);

/** What she has called herself in this tab. */
export const tabName = (): SeatMemory => tabMemory('vivarium name');

/** What she wants to be called, until the server has said yes or no to it: a line that breaks meanwhile does not lose it. */
export class WishedName {
  private wish: { readonly name: string; readonly refused: (reason: Reason) => void } | undefined;

  /**
   * @param isHeard whether the room hears her now
   * @param taken she is called so from now on
   */
  constructor(
    private readonly ask: RequestTracker['ask'],
    private readonly isHeard: () => boolean,
    private readonly taken: (name: string) => void,
  ) {}

  /** She wants to be called so; what she wanted before does not count any more. */
  want(name: string, refused: (reason: Reason) => void): void {
    this.wish = { name, refused };
    this.tell();
  }

  /** Says so to a room that hears her, for the first time or again. */
  tell(): void {
    const { wish } = this;
    if (!wish || !this.isHeard()) return;
    const { name, refused } = wish;
    const answered = (then: () => void): void => {
      if (this.wish !== wish) return;
      this.wish = undefined;
      then();
    };
    this.ask(
      'name',
      { name },
      {
        accepted: () => answered(() => this.taken(name)),
        rejected: (reason) => answered(() => refused(reason)),
      },
    );
  }
}

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
