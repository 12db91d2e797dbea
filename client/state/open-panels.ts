/** The panels that are open above the room. */

/**
 * Tracks which panels are open, the top panel last. Each panel has an entry in the browser's
 * history, so that Back closes the top panel before it leaves the room. Closing a panel in another
 * way removes its entry.
 */
export class OpenPanels {
  /** Functions that close the panels, the top panel last. */
  private readonly panels: (() => void)[] = [];
  /** Number of modal dialogs that are open; `SheetElement` counts them. */
  modals = 0;
  /** Number of history entries that belong to panels, up to the current entry. */
  private entries: number;
  /** Whether this page has called `history.go` and the move has not happened yet. */
  private isTravelling = false;
  private readonly stop = new AbortController();

  /** @param changed called when a panel has opened or closed, with whether any panel is open */
  constructor(
    private readonly changed: (isOpen: boolean) => void,
    private readonly page: Pick<Window, 'history' | 'addEventListener'> = window,
  ) {
    page.addEventListener('popstate', (event) => this.arrive(event), { signal: this.stop.signal });
    // A page that was reloaded with open panels still has their history entries, but no panels.
    this.entries = entriesIn(page.history.state);
    this.follow();
  }

  /**
   * Registers a panel that has opened.
   *
   * @param close closes it
   * @returns a function to call when the panel has closed for any reason
   */
  open(close: () => void): () => void {
    this.panels.push(close);
    this.update();
    return () => {
      const index = this.panels.indexOf(close);
      if (index < 0) return;
      this.panels.splice(index, 1);
      this.update();
    };
  }

  /** Closes the top panel. @returns false if none is open */
  closeTop(): boolean {
    const close = this.panels.at(-1);
    close?.();
    return close !== undefined;
  }

  /** Closes all panels except the first `kept`. */
  closeAll(kept = 0): void {
    for (const close of this.panels.splice(kept).reverse()) close();
    this.update();
  }

  dispose(): void {
    this.stop.abort();
  }

  private update(): void {
    this.follow();
    this.changed(this.panels.length > 0);
  }

  /** Adds or removes history entries until there is one per panel. */
  private follow(): void {
    const { history } = this.page;
    if (this.isTravelling) return;
    const excess = this.entries - this.panels.length;
    if (excess > 0) {
      this.isTravelling = true;
      history.go(-excess);
    }
    while (this.entries < this.panels.length) history.pushState({ panels: ++this.entries }, '');
  }

  private arrive({ state }: PopStateEvent): void {
    this.entries = entriesIn(state);
    // If this page did not request the move, the visitor has gone back, so close the panels whose
    // entries are gone.
    const kept = this.isTravelling ? this.panels.length : this.entries;
    this.isTravelling = false;
    this.closeAll(kept);
  }
}

const entriesIn = (state: { readonly panels?: number } | null): number => state?.panels ?? 0;
