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

/** Pictures fetched at once. */
const AT_ONCE = 3;
/** Time until a busy server is asked again, ms. */
const RETRY = 1_500;
/** Times that a busy server is asked for a picture. */
const MOST_TRIES = 8;

type Page = Pick<LineagePage, 'gallery' | 'sheet'>;

/** Finds and fetches pictures. */
export class TreePictures {
  private readonly indexOf: ReadonlyMap<string, number>;
  private sheet: HTMLImageElement | undefined;
  /** By organism; null: there is none, or it is on its way. */
  private readonly grown = new Map<number, Picture | null>();
  private readonly waiting: number[] = [];
  private fetching = 0;
  private readonly stop = new AbortController();
  /** Resolve when nothing is on its way. */
  private idle: (() => void)[] = [];

  /** @param onChange called when there is another picture to draw */
  constructor(
    private readonly room: string,
    private readonly page: Page,
    private readonly onChange: () => void,
  ) {
    this.indexOf = new Map(page.gallery.map((name, i) => [name, i]));
  }

  /** Loads the gallery's sheet; without one, its kinds have no pictures. */
  async open(): Promise<void> {
    const sheet = new Image();
    sheet.src = this.page.sheet.url;
    const isLoaded = await sheet.decode().then(
      () => true,
      () => false,
    );
    if (isLoaded) this.sheet = sheet;
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
   * Fetches all that are missing, and resolves when each is here or cannot be had.
   *
   * @param longest resolves after this at the latest, ms
   */
  async all(organisms: readonly LineageOrganism[], longest: number): Promise<void> {
    for (const organism of organisms) this.of(organism);
    if (this.fetching === 0) return;
    await new Promise<void>((resolve) => {
      this.idle.push(resolve);
      setTimeout(resolve, longest);
    });
  }

  close(): void {
    this.stop.abort();
    this.waiting.length = 0;
  }

  /** Another tree may be drawn where a closed one was. */
  private changed(): void {
    if (!this.stop.signal.aborted) this.onChange();
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
    while (this.fetching < AT_ONCE) {
      const id = this.waiting.shift();
      if (id === undefined) break;
      this.fetching++;
      void this.fetchOne(id).finally(() => {
        this.fetching--;
        this.fetchNext();
        this.changed();
      });
    }
    if (this.fetching === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private async fetchOne(id: number): Promise<void> {
    const { signal } = this.stop;
    for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
      const response = await fetch(lineagePicturePath(this.room, id), { signal }).catch(() => null);
      if (response?.ok) {
        const strip = await createImageBitmap(await response.blob()).catch(() => undefined);
        if (!strip) return;
        // The last picture of its growth.
        const side = strip.height;
        this.grown.set(id, { image: strip, x: strip.width - side, y: 0, side });
        return;
      }
      if (response?.status !== 503 && response?.status !== 429) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}
