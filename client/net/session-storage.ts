/**
 * Stores a page's resume token and name per tab: a reload is the same participant, another tab is
 * another one.
 */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { SeatMemory } from './connection.ts';
import type { RequestTracker } from './request-tracker.ts';

export const tabSeatStorage = (room: string): SeatMemory => tabMemory(`vivarium seat ${room}`);

/** The name chosen in this tab. */
export const tabName = (): SeatMemory => tabMemory('vivarium name');

/**
 * A requested name until the server accepts or refuses it, so that a lost connection does not lose
 * it.
 */
export class WishedName {
  private wish: { readonly name: string; readonly refused: (reason: Reason) => void } | undefined;

  /**
   * @param isHeard whether the room can receive commands
   * @param taken called with the accepted name
   */
  constructor(
    private readonly ask: RequestTracker['ask'],
    private readonly isHeard: () => boolean,
    private readonly taken: (name: string) => void,
  ) {}

  /** Requests a name. It replaces any earlier request. */
  want(name: string, refused: (reason: Reason) => void): void {
    this.wish = { name, refused };
    this.tell();
  }

  /** Sends the request, also again after a reconnection. */
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
        // Some browsers block storage; then the value lasts as long as the page.
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
