/** The name that the visitor has asked for. */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { RequestTracker } from './request-tracker.ts';

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
