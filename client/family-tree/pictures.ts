/**
 * Loads the pictures of a tree's organisms. If an organism has the name of a gallery creature and
 * no grafts, its picture is a tile of the gallery's sprite sheet. All other pictures are fetched
 * from the server when they are first drawn.
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

/** Maximum number of simultaneous requests. */
const AT_ONCE = 3;
/**
 * `RETRY`: delay before failed requests are repeated, in ms. The delay doubles with each failure,
 * up to `LONGEST_RETRY`.
 */
const RETRY = 1_500;
const LONGEST_RETRY = 24_000;
/** Key of the gallery's sprite sheet in `images`. Organism ids are positive, so 0 is free. */
const SHEET = 0;

export class TreePictures {
  private readonly indexOf: ReadonlyMap<string, number>;
  /**
   * Images by organism id, and the gallery's sprite sheet at the key `SHEET`. An entry is null
   * until its image arrives, and remains null if the server has no such image.
   */
  private readonly images = new Map<number, ImageBitmap | null>();
  private readonly waiting: number[] = [];
  private fetching = 0;
  /** Number of failed requests since the last successful one. */
  private failures = 0;
  /** Whether requests are paused because one has failed. */
  private resting = false;
  private readonly stop = new AbortController();
  /** Functions to call when no request is pending. */
  private idle: (() => void)[] = [];

  /**
   * @param onChange called at the end of each request, even if no picture has arrived
   * @param after waits for a number of ms, then calls the function; replaced in tests
   */
  constructor(
    private readonly room: string,
    private readonly page: Pick<LineagePage, 'gallery' | 'sheet'>,
    private readonly onChange: () => void,
    private readonly after: (ms: number, call: () => void) => void = (ms, call) => {
      setTimeout(call, ms);
    },
  ) {
    this.indexOf = new Map(page.gallery.map((name, i) => [name, i]));
    this.request(SHEET);
  }

  /**
   * Returns the picture of an organism, or undefined if it has not arrived. The first call requests
   * the picture.
   */
  of({ id, kind, parts, cause }: LineageOrganism): Picture | undefined {
    // If the host has removed a chimera (a grafted organism), the server draws the creature `kind`
    // without grafts. The gallery has the same picture.
    const isPlain = kind !== '' && (!parts || cause === 'removed');
    const index = isPlain ? this.indexOf.get(kind) : undefined;
    const image = this.request(index === undefined ? id : SHEET);
    if (!image) return undefined;
    if (index === undefined) return { image, x: 0, y: 0, side: image.height };
    const { columns } = this.page.sheet;
    const side = image.width / columns;
    return { image, x: side * (index % columns), y: side * Math.floor(index / columns), side };
  }

  /**
   * Fetches all missing pictures. Resolves when the server has answered for each picture, when
   * `close` is called, or after `longest` ms.
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
    for (const image of this.images.values()) image?.close();
    this.images.clear();
    this.fetchNext();
  }

  get isClosed(): boolean {
    return this.stop.signal.aborted;
  }

  private get isIdle(): boolean {
    return this.fetching + this.waiting.length === 0;
  }

  /** Returns an image if it has arrived. The first call for each id requests the image. */
  private request(id: number): ImageBitmap | null | undefined {
    const image = this.images.get(id);
    if (image === undefined) {
      this.images.set(id, null);
      this.waiting.push(id);
      this.fetchNext();
    }
    return image;
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
        // Do not call `onChange` for a closed tree, because another tree may use the canvas now.
        if (!this.isClosed) this.onChange();
      });
    }
    if (this.isIdle) for (const resolve of this.idle.splice(0)) resolve();
  }

  /** Returns a failed request to the end of the queue, and pauses all requests. */
  private rest(id: number): void {
    if (this.isClosed) return;
    this.waiting.push(id);
    if (this.resting) return;
    this.resting = true;
    this.after(Math.min(LONGEST_RETRY, RETRY * 2 ** this.failures++), () => {
      this.resting = false;
      this.fetchNext();
    });
  }

  /**
   * Fetches one image.
   *
   * @returns true if the image has arrived or the server has none; false if a retry may succeed
   */
  private async fetchOne(id: number): Promise<boolean> {
    const { signal } = this.stop;
    const path = id === SHEET ? this.page.sheet.url : lineagePicturePath(this.room, id);
    try {
      const response = await fetch(path, { signal });
      if (!response.ok) return response.status < 500 && response.status !== 429;
      const blob = await response.blob();
      const image = await createImageBitmap(blob).catch(() => undefined);
      if (signal.aborted) image?.close();
      else if (image) this.images.set(id, image);
      return true;
    } catch {
      return false;
    }
  }
}
