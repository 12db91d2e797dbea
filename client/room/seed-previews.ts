/**
 * Previews of how seeds grow. Each part of the page that shows a preview is called a viewer, and
 * sets its seed with `want`.
 */
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import type { PackedGenomes } from '../../shared/protocol/genomes.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import { Listeners } from '../state/browser-store.ts';
import type { InteractionState } from '../state/interaction-state.ts';
import type { Rgb } from '../style/fragments.ts';
import { BROWSER, type RequestTracker } from './connection.ts';

export interface FilmView {
  /**
   * URL of an image: a row of `frames` square pictures. The last picture shows the grown organism.
   */
  readonly url: string;
  readonly frames: number;
}

/**
 * A film of a growing seed. `raw` is the server's image, kept until it is queued to be redrawn in
 * finer detail.
 */
type Film = FilmView & { raw?: Blob | undefined; readonly genomes: PackedGenomes | undefined };

/**
 * Redraws a film in finer detail with the painter, a small neural net. Returns the new film's URL.
 */
type Paint = (film: Blob, genomes?: PackedGenomes) => Promise<string>;

/** Maximum number of cached previews. */
const KEPT = 80;
/** Maximum number of simultaneous requests. */
const MOST_ASKED = 2;
/** Delay before the next request to a busy server, in ms. */
const RETRY = 1_000;

export class Previews {
  private readonly films = new Map<string, Film | 'none'>();
  /** Requests in flight, keyed by seed. */
  private readonly asked = new Map<string, object>();
  /**
   * The seed of each viewer (a part of the page that shows a preview). The viewer that called
   * `want` most recently comes last.
   */
  private readonly wanted = new Map<object, PreviewSource>();
  private readonly listeners = new Listeners<{ change: undefined }>();
  private resting = false;
  private you = 0;
  private paint: Paint | undefined;
  /** Resolves when all queued pictures are painted. */
  private queue: Promise<unknown> = Promise.resolve();

  /** @param after schedules a call after a delay, in ms */
  constructor(
    private readonly ask: RequestTracker['ask'],
    private readonly after: (ms: number, call: () => void) => void = BROWSER.after,
  ) {}

  onChange(listener: () => void): () => void {
    return this.listeners.on('change', listener);
  }

  want(viewer: object, seed: PreviewSource): void {
    this.wanted.delete(viewer);
    this.wanted.set(viewer, seed);
    this.pump();
  }

  forget(viewer: object): void {
    this.wanted.delete(viewer);
  }

  /**
   * Returns a seed's preview: undefined if it has not arrived yet, and 'none' if the server has
   * refused to make it.
   */
  film(seed: PreviewSource): FilmView | 'none' | undefined {
    const key = JSON.stringify(seed);
    const film = this.films.get(key);
    if (!film) return undefined;
    this.films.delete(key);
    this.films.set(key, film);
    if (film !== 'none' && film.raw && this.paint) void this.paintLater(key, film, film.raw);
    return film;
  }

  get paints(): boolean {
    return this.paint !== undefined;
  }

  /**
   * Sets the function that redraws films in finer detail. Films are redrawn one at a time, each
   * when it is first displayed.
   */
  paintWith(paint: Paint): void {
    this.paint = paint;
    this.listeners.emit('change', undefined);
  }

  /**
   * Queues a picture or a film for painting.
   *
   * @param isWanted called when the picture's turn comes; returns whether to paint it
   * @param genomes the organism's genomes, if known
   * @returns URL of the painted picture or film; undefined if it was not painted
   */
  painted(
    raw: Blob,
    isWanted: () => boolean = () => true,
    genomes?: PackedGenomes,
  ): Promise<string | undefined> {
    const painted = this.queue.then(() =>
      this.paint && isWanted() ? this.paint(raw, genomes).catch(() => undefined) : undefined,
    );
    this.queue = painted;
    return painted;
  }

  private async paintLater(key: string, film: Film, raw: Blob): Promise<void> {
    film.raw = undefined;
    const isKept = (): boolean => this.films.get(key) === film;
    // If painting fails, keep the unpainted film.
    const url = await this.painted(raw, isKept, film.genomes);
    if (!url) return;
    if (!isKept()) return URL.revokeObjectURL(url);
    this.put(key, { ...film, url });
    URL.revokeObjectURL(film.url);
  }

  /**
   * Forgets unanswered requests after a reconnection, because no answers will arrive.
   *
   * @param you id of the page's participant after the reconnection
   */
  renew(you: number): void {
    this.asked.clear();
    // During the disconnection, organisms may have been transformed, so drop the previews of their
    // crosses. If the page has a different participant now, also drop the previews of seeds from
    // `hand`: the server made these seeds for the earlier participant from crosses and drawings.
    this.dropAll(you === this.you ? /"cross"/ : /"cross"|"hand"/);
    this.you = you;
  }

  /**
   * Drops the previews of an organism's possible children. Call this when the organism has been
   * transformed: its new latent changes its children.
   */
  outdate(parent: OrganismId): void {
    const stale = new RegExp(`"[ab]":${parent}\\b`);
    for (const key of this.asked.keys()) if (stale.test(key)) this.asked.delete(key);
    this.dropAll(stale);
  }

  /** Frees all films. Call this when the page no longer shows any previews. */
  close(): void {
    this.wanted.clear();
    for (const key of [...this.films.keys()]) this.drop(key);
  }

  private dropAll(stale: RegExp): void {
    for (const [key, film] of this.films) if (film === 'none' || stale.test(key)) this.drop(key);
    this.pump();
    this.listeners.emit('change', undefined);
  }

  private pump(): void {
    if (this.resting) return;
    for (const seed of [...this.wanted.values()].reverse()) {
      const key = JSON.stringify(seed);
      if (this.asked.size >= MOST_ASKED) return;
      if (this.films.has(key) || this.asked.has(key)) continue;
      this.request(key, seed);
    }
  }

  private request(key: string, seed: PreviewSource): void {
    const request = {};
    this.asked.set(key, request);
    const answered = (act: () => void): void => {
      // Ignore an outdated answer. Since the request, the client has reconnected, or the seed has
      // changed because one of its parent organisms was transformed.
      if (this.asked.get(key) !== request) return;
      this.asked.delete(key);
      act();
      this.pump();
    };
    this.ask(
      'preview',
      { seed },
      {
        accepted: ({ film }) =>
          answered(() => {
            if (!film) return;
            const { png, frames, genomes } = film;
            const raw = new Blob([png], { type: 'image/png' });
            this.put(key, { url: URL.createObjectURL(raw), frames, raw, genomes });
          }),
        rejected: (reason) =>
          answered(() => {
            if (reason !== 'room-busy' && reason !== 'too-fast') return this.put(key, 'none');
            this.resting = true;
            this.after(RETRY, () => {
              this.resting = false;
              this.pump();
            });
          }),
      },
    );
  }

  private put(key: string, film: Film | 'none'): void {
    this.films.set(key, film);
    const shown = new Set([...this.wanted.values()].map((seed) => JSON.stringify(seed)));
    for (const oldest of this.films.keys()) {
      if (this.films.size <= KEPT) break;
      if (!shown.has(oldest)) this.drop(oldest);
    }
    this.listeners.emit('change', undefined);
  }

  private drop(key: string): void {
    const film = this.films.get(key);
    this.films.delete(key);
    if (film && film !== 'none') URL.revokeObjectURL(film.url);
  }
}

/** Pixels with a lower alpha (0…255) are ignored. */
const LEAST_ALPHA = 128;

/** Reads the colours of an image's last picture. The image is a row of square pictures. */
async function coloursOf(url: string): Promise<Rgb[]> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { width, height: side } = image;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d')!;
  context.drawImage(image, side - width, 0);
  const { data } = context.getImageData(0, 0, side, side);
  const colours: Rgb[] = [];
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, alpha] = data.subarray(i, i + 4);
    if (alpha >= LEAST_ALPHA) colours.push([r / 255, g / 255, b / 255]);
  }
  return colours;
}

/** The colours of the creature whose seed the visitor is grafting. */
export class SeedColours {
  /**
   * Colours of the grown creature's cells, sRGB from 0 to 1; empty until the preview has arrived.
   */
  colours: readonly Rgb[] = [];
  private url = '';

  constructor(previews: Previews, state: InteractionState, read = coloursOf) {
    // Do not request the preview here: the seed tray (or, on a touch table, the person's circle of
    // tools) already requests the held seed's preview.
    const update = (): void => {
      const { tool, held } = state.state;
      const film = tool === 'graft' && previews.film(held);
      const url = film && film !== 'none' ? film.url : '';
      if (url === this.url) return;
      this.url = url;
      this.colours = [];
      if (url === '') return;
      // If the colours cannot be read, the stroke is drawn in the visitor's own colour.
      read(url).then((colours) => {
        if (url === this.url) this.colours = colours;
      }, console.warn);
    };
    state.onChange(update);
    previews.onChange(update);
  }
}
