/** Base class of the lists of what waits for the host's decisions. */
import { nothing, type PropertyValues } from 'lit';
import { query, state } from 'lit/decorators.js';
import { SettledRows } from '../settled-rows.ts';
import { HostElement } from './host-element.ts';

/**
 * A press decides only about the row that was there when the host aimed: rows go without the host's
 * doing, and the next one takes their place. Each row is an `li` that can have the focus.
 */
export abstract class QueueElement extends HostElement {
  /** Ids of the rows that the host has decided about, until the server has answered. */
  @state() private decided: ReadonlySet<number> = new Set();
  @query('h3') private readonly heading!: HTMLElement | null;
  private readonly settled = new SettledRows(this);

  /** Ids of the rows that are shown, in order. */
  protected abstract get ids(): readonly number[];

  /** How many rows of other lists are above. */
  protected get above(): number {
    return 0;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.settled.place(this.ids, this.above);
  }

  protected override roomChanged(): void {
    this.decided = new Set();
    this.settled.clear();
  }

  protected isDecided(id: number): boolean {
    return this.decided.has(id);
  }

  /**
   * `aria-disabled` of a row's buttons: while a press on them does not count. They keep the focus,
   * unlike with `disabled`.
   */
  protected unsettled(id: number): 'true' | typeof nothing {
    return this.settled.isSettled(id) ? nothing : 'true';
  }

  /**
   * Decides about a row, unless the press cannot have been meant for it.
   *
   * @param call tells the server; must not reject
   */
  protected async decide(
    id: number,
    { timeStamp }: Event,
    call: (room: string) => Promise<unknown>,
  ): Promise<void> {
    if (!this.settled.isSettled(id, timeStamp)) return;
    const { shownRoom: room } = this;
    const place = this.ids.indexOf(id);
    this.decided = new Set([...this.decided, id]);
    await call(room);
    this.decided = new Set([...this.decided].filter((each) => each !== id));
    await this.updateComplete;
    if (room !== this.shownRoom || this.matches(':focus-within')) return;
    // The button that had the focus is gone. The host wants to hear of the next row first: on one of
    // its buttons, the next key would decide about it.
    const rows = [...this.renderRoot.querySelectorAll('li')];
    (rows[place] ?? rows.at(-1) ?? this.heading)?.focus();
  }
}
