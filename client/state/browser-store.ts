/**
 * Helpers for all pages: browser storage, event listeners, throttling, offered seeds and open
 * panels.
 */
import type { Event } from '../../shared/protocol/events.ts';

/**
 * A string in the browser's storage. With `localStorage`, all tabs share the string; with
 * `sessionStorage`, each tab has its own, which survives a reload. If the browser blocks storage,
 * the string is kept in memory.
 */
export class BrowserStore {
  private text: string | null = null;

  constructor(
    private readonly storage: 'localStorage' | 'sessionStorage',
    private readonly key: string,
  ) {}

  read(): string | null {
    try {
      return window[this.storage].getItem(this.key) ?? this.text;
    } catch {
      return this.text;
    }
  }

  write(text: string): void {
    this.text = text;
    try {
      window[this.storage].setItem(this.key, text);
    } catch {}
  }
}

/**
 * Two strings that survive a reload of the page. `seat`: a token with which the page gets back its
 * seat in the room or its position in the queue. `mark`: signed random bytes (`welcome.mark`) by
 * which the server recognises this browser, for bans and limits of energy.
 */
export type PageMemory = Readonly<Record<'seat' | 'mark', Pick<BrowserStore, 'read' | 'write'>>>;

export class Listeners<Events extends { [K in keyof Events]: unknown }> {
  private readonly sets = new Map<keyof Events, Set<(event: never) => void>>();

  /**
   * Adds a listener.
   *
   * @returns a function that removes the listener
   */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const set = this.sets.get(name) ?? new Set();
    this.sets.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const listener of this.sets.get(name) ?? []) {
      (listener as (event: Events[K]) => void)(event);
    }
  }
}

/**
 * Calls a function with at most one value per interval. A value that comes too early waits for
 * `flush`, and is replaced if a newer value comes.
 */
export class Throttle<T> {
  private waiting: { readonly value: T } | undefined;
  private passedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly pass: (value: T) => void,
    private readonly interval: number,
  ) {}

  push(value: T, now: number): void {
    this.waiting = { value };
    this.flush(now);
  }

  forget(): void {
    this.waiting = undefined;
  }

  /**
   * If a value is waiting and the interval is over, calls `pass` with the value.
   *
   * @returns whether a value is still waiting
   */
  flush(now: number): boolean {
    if (!this.waiting) return false;
    if (now - this.passedAt < this.interval) return true;
    const { value } = this.waiting;
    this.waiting = undefined;
    this.passedAt = now;
    this.pass(value);
    return false;
  }
}

type Checkpoint = Event<'welcome'>['checkpoint'];

/** The host's settings that determine which seeds of the gallery visitors see. */
export type Offer = Pick<Event<'settings'>, 'wholeGallery' | 'hidden' | 'first'>;

/** Returns the indices of the gallery seeds that are offered to visitors, in the order shown. */
export function offered(
  { gallery, featured }: Pick<Checkpoint, 'gallery' | 'featured'>,
  { wholeGallery, hidden = [], first = [] }: Offer = {},
): readonly number[] {
  const all = new Set([...first, ...((!wholeGallery && featured) || gallery.keys())]);
  return [...all].filter((index) => gallery[index] && !hidden.includes(index));
}

/**
 * Returns the indices of the gallery seeds that a visitor can search. Seeds that the gallery panel
 * offers come first.
 */
export function searchable(checkpoint: Checkpoint, offer: Offer = {}): readonly number[] {
  const { gallery, unsuitable = [] } = checkpoint;
  const { wholeGallery, hidden = [] } = offer;
  const left = wholeGallery ? hidden : [...hidden, ...unsuitable];
  const others = [...gallery.keys()].filter((index) => !left.includes(index));
  return [...new Set([...offered(checkpoint, offer), ...others])];
}

/**
 * Tracks the open panels, in the order in which they were opened. Each panel has an entry in the
 * browser's history, so that the Back button closes the top panel instead of leaving the room. If a
 * panel is closed in another way, its entry is removed.
 */
export class OpenPanels {
  /** Functions that close the open panels. The last one closes the top panel. */
  private readonly panels: (() => void)[] = [];
  /** Number of open modal dialogs, maintained by `SheetElement`. */
  modals = 0;
  /** Number of open panels recorded in the browser's current history entry. */
  private entries: number;
  /** Whether this page has called `history.go` and the `popstate` event has not arrived yet. */
  private isTravelling = false;

  /**
   * @param changed called after a panel was opened or closed. `isOpen`: whether any panel is open
   */
  constructor(private readonly changed: (isOpen: boolean) => void) {
    window.addEventListener('popstate', (event) => this.arrive(event));
    // After a reload, the panels no longer exist, but their history entries do. `follow` removes
    // these entries.
    this.entries = entriesIn(window.history.state);
    this.follow();
  }

  /**
   * Registers a panel that has been opened.
   *
   * @param close closes the panel
   * @returns a function that must be called when the panel has been closed
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

  /** Closes the top panel. @returns false if no panel is open */
  closeTop(): boolean {
    const close = this.panels.at(-1);
    close?.();
    return close !== undefined;
  }

  /** Closes all panels except the `kept` oldest ones. */
  closeAll(kept = 0): void {
    for (const close of this.panels.splice(kept).reverse()) close();
    this.update();
  }

  private update(): void {
    this.follow();
    this.changed(this.panels.length > 0);
  }

  /** Adds or removes history entries until there is exactly one per open panel. */
  private follow(): void {
    const { history } = window;
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
    // If the visitor has pressed the Back button, close the panels whose history entries are gone.
    // If this page itself has called `history.go`, close none.
    const kept = this.isTravelling ? this.panels.length : this.entries;
    this.isTravelling = false;
    this.closeAll(kept);
  }
}

const entriesIn = (state: { readonly panels?: number } | null): number => state?.panels ?? 0;
