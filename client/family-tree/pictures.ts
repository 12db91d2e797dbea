/**
 * Loads the pictures of a tree's organisms. Organisms of gallery kinds use tiles of the gallery's
 * sheet; pictures of all others, and of chimeras, are fetched from the server when first drawn.
 */
import type { LineageOrganism, LineagePage } from '../../shared/lineage.ts';
import { lineagePicturePath } from '../../shared/lineage.ts';

/** A square part of an image. */
export interface Picture {
  readonly image: CanvasImageSource;
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

interface Grown extends Picture {
  readonly image: ImageBitmap;
}

/** Maximum number of simultaneous requests. */
const AT_ONCE = 3;
/** Delays before a failed request is repeated, in ms: after one failure, and the maximum. */
const RETRY = 1_500;
const LONGEST_RETRY = 24_000;
/**
 * Maximum number of requests for the gallery's sheet. They are limited because an image does not
 * report why it failed.
 */
const MOST_TRIES = 8;

type Page = Pick<LineagePage, 'gallery' | 'sheet'>;

export class TreePictures {
  private readonly indexOf: ReadonlyMap<string, number>;
  private sheet: HTMLImageElement | undefined;
  private isOpening = false;
  /** The picture for each organism's id; null if it has been requested or does not exist. */
  private readonly grown = new Map<number, Grown | null>();
  private readonly waiting: number[] = [];
  private fetching = 0;
  /** Number of failures since the last success. */
  private failures = 0;
  /** Whether requests pause after a failure. */
  private resting = false;
  private readonly stop = new AbortController();
  /** Functions to call when no request is left. */
  private idle: (() => void)[] = [];

  /**
   * @param onChange called when a new picture has arrived
   * @param after calls back after a delay, in ms
   */
  constructor(
    private readonly room: string,
    private readonly page: Page,
    private readonly onChange: () => void,
    private readonly after: (ms: number, call: () => void) => void = (ms, call) => {
      setTimeout(call, ms);
    },
  ) {
    this.indexOf = new Map(page.gallery.map((name, i) => [name, i]));
  }

  /**
   * Loads the gallery's sheet. Without it, gallery kinds have no pictures.
   *
   * @returns resolves after the first attempt; further attempts follow in the background
   */
  async open(tries = 1): Promise<void> {
    this.isOpening = true;
    const sheet = new Image();
    sheet.src = this.page.sheet.url;
    const isLoaded = await sheet.decode().then(
      () => true,
      () => false,
    );
    if (isLoaded) this.sheet = sheet;
    else if (tries < MOST_TRIES) {
      this.after(retryAfter(tries), () => {
        if (!this.isClosed) void this.open(tries + 1);
      });
    }
    this.isOpening = false;
    this.fetchNext();
    this.changed();
  }

  /** Returns the picture of an organism if it has arrived; otherwise requests it. */
  of({ id, kind, parts, cause }: LineageOrganism): Picture | undefined {
    const index = this.indexOf.get(kind);
    // The server does not grow the parts of removed organisms.
    const isPlain = !parts || cause === 'removed';
    if (kind !== '' && index !== undefined && isPlain) return this.tile(index);
    const known = this.grown.get(id);
    if (known === undefined) {
      this.grown.set(id, null);
      this.waiting.push(id);
      this.fetchNext();
    }
    return known ?? undefined;
  }

  /**
   * Fetches all missing pictures. Resolves when each has arrived or is known not to exist, or after
   * `close`.
   *
   * @param longest maximum time until it resolves, in ms
   */
  async all(organisms: readonly LineageOrganism[], longest: number): Promise<void> {
    for (const organism of organisms) this.of(organism);
    if (this.isIdle) return;
    await new Promise<void>((resolve) => {
      this.idle.push(resolve);
      this.after(longest, resolve);
    });
  }

  /** Stops all requests and frees the pictures. */
  close(): void {
    this.stop.abort();
    this.waiting.length = 0;
    for (const picture of this.grown.values()) picture?.image.close();
    this.grown.clear();
    this.fetchNext();
  }

  get isClosed(): boolean {
    return this.stop.signal.aborted;
  }

  private get isIdle(): boolean {
    return !this.isOpening && this.fetching + this.waiting.length === 0;
  }

  /** Reports a change, unless this tree is closed, because another tree may then use the canvas. */
  private changed(): void {
    if (!this.isClosed) this.onChange();
  }

  private tile(index: number): Picture | undefined {
    const { sheet } = this;
    if (!sheet) return undefined;
    const { columns } = this.page.sheet;
    const side = sheet.naturalWidth / columns;
    const [x, y] = [side * (index % columns), side * Math.floor(index / columns)];
    return { image: sheet, x, y, side };
  }

  private fetchNext(): void {
    while (!this.resting && this.fetching < AT_ONCE) {
      const id = this.waiting.shift();
      if (id === undefined) break;
      this.fetching++;
      void this.fetchOne(id).then((isDone) => {
        this.fetching--;
        if (isDone) this.failures = 0;
        else this.rest(id);
        this.fetchNext();
        this.changed();
      });
    }
    if (this.isIdle) for (const resolve of this.idle.splice(0)) resolve();
  }

  /** Appends a failed picture to the queue and pauses requests. */
  private rest(id: number): void {
    if (this.isClosed) return;
    this.waiting.push(id);
    if (this.resting) return;
    this.resting = true;
    this.after(retryAfter(++this.failures), () => {
      this.resting = false;
      this.fetchNext();
    });
  }

  /** @returns whether the request is settled; otherwise it may succeed later */
  private async fetchOne(id: number): Promise<boolean> {
    const { signal } = this.stop;
    try {
      const response = await fetch(lineagePicturePath(this.room, id), { signal });
      if (!response.ok) return response.status < 500 && response.status !== 429;
      const blob = await response.blob();
      const image = await createImageBitmap(blob).catch(() => undefined);
      if (signal.aborted) image?.close();
      else if (image) this.grown.set(id, { image, x: 0, y: 0, side: image.height });
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * Returns the delay before the next attempt, in ms.
 *
 * @param failures consecutive failures, from 1
 */
const retryAfter = (failures: number): number =>
  Math.min(LONGEST_RETRY, RETRY * 2 ** (failures - 1));
