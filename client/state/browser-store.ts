/** Utilities for all pages: browser storage, event listeners, throttling, hints and open panels. */
import type { Event } from '../../shared/protocol/events.ts';

/**
 * A string in the browser's storage. `localStorage` is shared by all tabs of a browser;
 * `sessionStorage` belongs to one tab and survives a reload. If the browser blocks storage, the string
 * is kept only as long as the page is open.
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
 * Storage for data that outlives a page. `seat` stores the resume token, with which a reloaded page
 * gets its seat or its position in the queue back. `mark` stores the device mark (`welcome.mark`).
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
 * Passes a value on at most once per interval. `flush` passes the last pending value on when it is
 * due.
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
   * Passes the pending value on if it is due.
   *
   * @returns whether a value is still pending
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

/** The host's settings for which seeds of the gallery visitors see. */
export type Offer = Pick<Event<'settings'>, 'wholeGallery' | 'hidden' | 'first'>;

/** Returns the gallery indices of the seeds offered to visitors, in display order. */
export function offered(
  { gallery, featured }: Pick<Checkpoint, 'gallery' | 'featured'>,
  { wholeGallery, hidden = [], first = [] }: Offer = {},
): readonly number[] {
  const all = new Set([...first, ...((!wholeGallery && featured) || gallery.keys())]);
  return [...all].filter((index) => gallery[index] && !hidden.includes(index));
}

/**
 * Returns the gallery indices of the seeds that a visitor's search can find. The seeds that the
 * gallery panel offers come first.
 */
export function searchable(checkpoint: Checkpoint, offer: Offer = {}): readonly number[] {
  const { gallery, unsuitable = [] } = checkpoint;
  const { wholeGallery, hidden = [] } = offer;
  const left = wholeGallery ? hidden : [...hidden, ...unsuitable];
  const others = [...gallery.keys()].filter((index) => !left.includes(index));
  return [...new Set([...offered(checkpoint, offer), ...others])];
}

/** Maximum number of times that a hint is shown to a visitor who does not follow it. */
const SHOWINGS = 3;

/**
 * Counts how often this browser has shown a hint. A hint that the visitor has followed is not shown
 * again.
 */
export class Hint {
  private readonly showings: BrowserStore;
  private occasion = '';

  constructor(name: string) {
    this.showings = new BrowserStore('localStorage', `vivarium ${name}`);
  }

  /**
   * Returns whether to show the hint.
   *
   * @param occasion identifies one showing: repeated calls with the same value count once
   */
  isShown(occasion: string): boolean {
    const count = Number(this.showings.read());
    if (occasion === this.occasion) return count <= SHOWINGS;
    // Another release may have stored a value that is not a number. If so, do not show the hint.
    if (!(count < SHOWINGS)) return false;
    this.occasion = occasion;
    this.showings.write(`${count + 1}`);
    return true;
  }

  get isFollowed(): boolean {
    return !(Number(this.showings.read()) <= SHOWINGS);
  }

  follow(): void {
    this.showings.write(`${SHOWINGS + 1}`);
  }
}

/**
 * Tracks which panels are open, in the order of opening. Each panel has an entry in the browser's
 * history, so that the Back button closes the top panel instead of leaving the room. Closing a panel
 * in another way removes its history entry.
 */
export class OpenPanels {
  /** Functions that close the open panels. The last one closes the top panel. */
  private readonly panels: (() => void)[] = [];
  /** Number of open modal dialogs, maintained by `SheetElement`. */
  modals = 0;
  /** Number of panels that the browser's current history entry stands for. */
  private entries: number;
  /** Whether this page has called `history.go` and the browser has not yet fired `popstate`. */
  private isTravelling = false;

  /** @param changed called after a panel opens or closes, with whether any panel is open */
  constructor(private readonly changed: (isOpen: boolean) => void) {
    window.addEventListener('popstate', (event) => this.arrive(event));
    // After a reload with open panels, their history entries still exist, but the panels do not.
    this.entries = entriesIn(window.history.state);
    this.follow();
  }

  /**
   * Registers a panel that has opened.
   *
   * @param close closes the panel
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
    // If this page did not call `history.go`, the visitor has pressed Back, so close the panels whose
    // history entries are gone.
    const kept = this.isTravelling ? this.panels.length : this.entries;
    this.isTravelling = false;
    this.closeAll(kept);
  }
}

const entriesIn = (state: { readonly panels?: number } | null): number => state?.panels ?? 0;
