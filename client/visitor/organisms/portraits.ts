/** Pictures of creatures: live portraits of organisms, and films of growing seeds. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Planes } from '../../../shared/codec/chunks.ts';
import { intersects, type Rect, windowAround } from '../../../shared/geometry.ts';
import type { PreviewSource } from '../../../shared/protocol/commands.ts';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import type { FilmView, Previews } from '../../room/seed-previews.ts';
import { PageElement, VisitorElement } from '../elements/page-element.ts';

/**
 * Copies the cells of an organism from the room's planes. All other positions stay transparent.
 *
 * @returns RGBA [side, side, 4], not premultiplied
 */
export function portraitOf(
  { id, x, y, side }: OrganismView,
  { rgba, owner, width, height }: Planes,
): Uint8ClampedArray<ArrayBuffer> {
  const shown = new Uint8ClampedArray(4 * side * side);
  const { x: left, y: top } = windowAround(x, y, side);
  for (let j = 0, offset = 0; j < side; j++) {
    for (let i = 0; i < side; i++, offset += 4) {
      const [px, py] = [left + i, top + j];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const cell = py * width + px;
      const alpha = rgba[4 * cell + 3];
      if (owner[cell] !== id || alpha === 0) continue;
      for (let c = 0; c < 3; c++) shown[offset + c] = (255 * rgba[4 * cell + c]) / alpha;
      shown[offset + 3] = alpha;
    }
  }
  return shown;
}

/** A live picture of an organism, drawn again when cells around the organism change. */
@customElement('organism-portrait')
export class OrganismPortrait extends PageElement {
  static override styles = css`
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false }) organism: OrganismId = 0;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  /** Id of the organism on display; 0 before the first picture is drawn. */
  private shown: OrganismId = 0;
  private isPainting = false;
  /** Whether cells have changed while the painter was drawing, so that it must draw again. */
  private isStale = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('aria-hidden', 'true');
    this.untilGone(this.session.model.on('picture', ({ changed }) => this.changed(changed)));
  }

  override render(): TemplateResult {
    return html`<canvas></canvas>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('organism')) void this.draw();
  }

  private changed(rects: readonly Rect[]): void {
    const organism = this.session.model.organisms.get(this.organism);
    if (!organism) return;
    const window = windowAround(organism.x, organism.y, organism.side);
    if (rects.some((rect) => intersects(rect, window))) void this.draw();
  }

  private async draw(): Promise<void> {
    const { planes, organisms } = this.session.model;
    const organism = organisms.get(this.organism);
    // If the organism no longer exists, keep its last picture.
    if (!planes || !organism) return;
    const { id, side } = organism;
    const cells = Object.assign(document.createElement('canvas'), { width: side, height: side });
    const image = new ImageData(portraitOf(organism, planes), side, side);
    cells.getContext('2d')?.putImageData(image, 0, 0);
    const { previews } = this.session;
    if (id !== this.shown || !previews.paints) this.show(cells, id);
    this.isStale = this.isPainting;
    if (this.isPainting || !previews.paints) return;
    this.isPainting = true;
    const raw = await new Promise<Blob | null>((resolve) => cells.toBlob(resolve));
    const url = raw && (await previews.painted(raw, () => this.isConnected));
    if (url) {
      const painted = new Image();
      painted.src = url;
      await painted.decode();
      if (id === this.organism) this.show(painted, id);
      URL.revokeObjectURL(url);
    }
    this.isPainting = false;
    if (this.isStale) void this.draw();
  }

  private show(picture: HTMLCanvasElement | HTMLImageElement, id: OrganismId): void {
    this.shown = id;
    Object.assign(this.canvas, { width: picture.width, height: picture.height });
    this.canvas.getContext('2d')?.drawImage(picture, 0, 0);
  }
}

/**
 * A film shows the growth for `GROWTH_DURATION`, then the grown organism for `GROWN_DURATION`, in
 * ms.
 */
const GROWTH_DURATION = 2_000;
const GROWN_DURATION = 2_600;
const DURATION = GROWTH_DURATION + GROWN_DURATION;

const isOther = (a?: PreviewSource, b?: PreviewSource): boolean =>
  JSON.stringify(a) !== JSON.stringify(b);

/** Plays a film of a growing seed when the film has arrived. */
@customElement('seed-film')
export class SeedFilm extends VisitorElement {
  static override styles = css`
    :host {
      position: relative;
    }
    i {
      inset: 0;
      background-repeat: no-repeat;
      background-position: 100% 0;
      transition: opacity 0.25s;
    }
    :host([waiting]) i {
      opacity: 0.25;
    }
    .germ {
      margin: auto;
      width: 24%;
      height: 24%;
      background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.55 0.06 80));
      animation: germ 1.4s ease-in-out infinite;
    }
    @keyframes germ {
      50% {
        opacity: 0.35;
        transform: scale(0.86);
      }
    }
  `;

  @property({ attribute: false }) previews!: Previews;
  @property({ attribute: false, hasChanged: isOther }) seed: PreviewSource | undefined;
  /** Whether to show only a still picture of the grown organism. */
  @property({ type: Boolean }) still = false;
  @state() private film: FilmView | undefined;
  @query('.film') private readonly strip!: HTMLElement | null;
  private animation: Animation | undefined;
  private key = '';
  private played = '';

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('aria-hidden', 'true');
    this.untilGone(
      this.previews.onChange(() => this.load()),
      () => this.forget(),
    );
    if (this.hasUpdated) this.load();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('seed')) this.load();
  }

  override render(): TemplateResult | typeof nothing {
    const { film } = this;
    if (!film) return this.seed ? html`<i class="germ over round"></i>` : nothing;
    return html`<i
      class="film over"
      style="background-image:url(${film.url});background-size:${film.frames * 100}% 100%"
    ></i>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('film') || changed.has('still')) this.play();
  }

  /**
   * Shows the film of the current seed. Until it arrives, the film of the previous seed stays
   * visible.
   */
  private load(): void {
    const { seed, previews } = this;
    if (!seed) {
      this.film = undefined;
      this.forget();
      return;
    }
    const key = JSON.stringify(seed);
    const film = previews.film(seed);
    this.toggleAttribute('waiting', film === undefined);
    if (film === undefined) {
      if (key !== this.key) previews.want(this, seed);
      this.key = key;
      return;
    }
    this.key = key;
    this.film = film === 'none' ? undefined : film;
  }

  private forget(): void {
    this.key = '';
    this.previews.forget(this);
  }

  private play(): void {
    // If the seed is unchanged, the new film is the same film, painted in more detail. Continue at
    // the position that the old film had reached.
    const at = this.played === this.key ? (this.animation?.currentTime ?? 0) : 0;
    this.played = this.key;
    this.animation?.cancel();
    this.animation = undefined;
    const { film, strip, still } = this;
    if (!film || !strip || still || film.frames < 2) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const grown = { backgroundPosition: '100% 0' };
    const frames: Keyframe[] = [
      { backgroundPosition: '0% 0', easing: `steps(${film.frames - 1})` },
      { ...grown, offset: GROWTH_DURATION / DURATION },
      grown,
    ];
    this.animation = strip.animate(frames, { duration: DURATION, iterations: Infinity });
    this.animation.currentTime = at;
  }
}
