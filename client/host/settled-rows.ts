/** Which rows of a list the host can have aimed at. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** How long a row must have been in its place, ms: about what a finger takes to come down. */
export const SETTLE_MS = 700;

/**
 * Knows how long each row of an element's list has been where it is. A press that comes right after
 * rows have moved was aimed at another row. The element is rendered again when all have settled.
 */
export class SettledRows implements ReactiveController {
  private rows: ReadonlyMap<number, { readonly place: number; readonly since: number }> = new Map();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param now ms, on the clock of events' time stamps */
  constructor(
    private readonly element: ReactiveControllerHost,
    private readonly now = () => performance.now(),
  ) {
    element.addController(this);
  }

  /**
   * Call before each rendering.
   *
   * @param ids of the rows, in order
   * @param above number of rows of other lists that move this one
   */
  place(ids: readonly number[], above = 0): void {
    const since = this.now();
    const rows = ids.map((id, i) => {
      const known = this.rows.get(id);
      const place = above + i;
      return [id, known?.place === place ? known : { place, since }] as const;
    });
    this.rows = new Map(rows);
  }

  /** Forgets all rows: those of another list may have the same ids. */
  clear(): void {
    this.rows = new Map();
  }

  /** Whether a row has been in its place for long enough. @param at of the press, ms */
  isSettled(id: number, at = this.now()): boolean {
    const row = this.rows.get(id);
    return row !== undefined && at - row.since >= SETTLE_MS;
  }

  hostUpdated(): void {
    clearTimeout(this.timer);
    const latest = Math.max(...[...this.rows.values()].map(({ since }) => since));
    const rest = latest + SETTLE_MS - this.now();
    if (rest > 0) this.timer = setTimeout(() => this.element.requestUpdate(), Math.ceil(rest));
  }

  hostDisconnected(): void {
    clearTimeout(this.timer);
  }
}
