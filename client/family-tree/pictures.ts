/**
 * The pictures of a tree's organisms: of gallery kinds from the sheet, of others as the server has
 * grown them, which are fetched when they are first drawn.
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

/** Pictures fetched at once. */
const AT_ONCE = 3;
/** Time until a server that is busy, or not reached, is asked again, ms: at first, and at most. */
const RETRY = 1_500;
const LONGEST_RETRY = 24_000;
/** Times that the sheet is asked for: why an image does not load, a page is not told. */
const MOST_TRIES = 8;

type Page = Pick<LineagePage, 'gallery' | 'sheet'>;

/** Finds and fetches pictures. */
export class TreePictures {
  private readonly indexOf: ReadonlyMap<string, number>;
  private sheet: HTMLImageElement | undefined;
  private isOpening = false;
  /** By organism; null: there is none, or it is on its way. */
  private readonly grown = new Map<number, Grown | null>();
  private readonly waiting: number[] = [];
  private fetching = 0;
  /** Failures since something has arrived. */
  private failures = 0;
  /** Whether nothing is asked for, as a request has failed. */
  private resting = false;
  private readonly stop = new AbortController();
  /** Resolve when nothing is on its way. */
  private idle: (() => void)[] = [];

  /**
   * @param onChange called when there is another picture to draw
   * @param after calls back after a delay, ms
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
   * Loads the gallery's sheet; without one, its kinds have no pictures.
   *
   * @returns when it is here or has not come; it is then asked for again
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

  /** The picture of an organism, if it is here; otherwise it is fetched. */
  of({ id, kind }: LineageOrganism): Picture | undefined {
    const index = this.indexOf.get(kind);
    if (kind !== '' && index !== undefined) return this.tile(index);
    const known = this.grown.get(id);
    if (known === undefined) {
      this.grown.set(id, null);
      this.waiting.push(id);
      this.fetchNext();
    }
    return known ?? undefined;
  }

  /**
   * Fetches all that are missing, and resolves when each is here or cannot be had, or all is
   * closed.
   *
   * @param longest resolves after this at the latest, ms
   */
  async all(organisms: readonly LineageOrganism[], longest: number): Promise<void> {
    for (const organism of organisms) this.of(organism);
    if (this.isIdle) return;
    await new Promise<void>((resolve) => {
      this.idle.push(resolve);
      this.after(longest, resolve);
    });
  }

  /** Nothing is fetched any more, and the pictures are gone. */
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

  /** Another tree may be drawn where a closed one was. */
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

  /** Asks again later for a picture that could not be had, after the others. */
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

  /** @returns whether it is here or cannot be had; if not, it may come later */
  private async fetchOne(id: number): Promise<boolean> {
    const { signal } = this.stop;
    try {
      const response = await fetch(lineagePicturePath(this.room, id), { signal });
      if (!response.ok) return response.status < 500 && response.status !== 429;
      const blob = await response.blob();
      const picture = await lastOf(blob).catch(() => undefined);
      if (signal.aborted) picture?.image.close();
      else if (picture) this.grown.set(id, picture);
      return true;
    } catch {
      return false;
    }
  }
}

/** Time until what has failed is asked for again, ms. @param failures one after another, 1… */
const retryAfter = (failures: number): number =>
  Math.min(LONGEST_RETRY, RETRY * 2 ** (failures - 1));

/** The last picture of an organism's growth alone: all of them take many times the memory. */
async function lastOf(growth: Blob): Promise<Grown> {
  const strip = await createImageBitmap(growth);
  const side = strip.height;
  try {
    const image = await createImageBitmap(strip, strip.width - side, 0, side, side);
    return { image, x: 0, y: 0, side };
  } finally {
    strip.close();
  }
}
