/** A row of seeds: the visitor's own seeds, then the gallery. */
import { msg } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, queryAll, state } from 'lit/decorators.js';
import type { PreviewSource, SeedSource } from '../../../shared/protocol/commands.ts';
import type { SeedView } from '../../../shared/vocabulary.ts';
import { forward, rove, settle } from '../../input/keyboard.ts';
import type { FilmView, Previews } from '../../room/seed-previews.ts';
import { type Offer, offered } from '../../state/browser-store.ts';
import { fire, VisitorElement } from '../elements/page-element.ts';
import type { RoomSession } from '../room-session.ts';
import { galleryButton, seedTitle } from './seed-tray.ts';

/** How long the film shows the growth, and then the grown organism, in ms. */
const GROWTH_DURATION = 2_000;
const GROWN_DURATION = 2_600;
const DURATION = GROWTH_DURATION + GROWN_DURATION;

const isOther = (a?: PreviewSource, b?: PreviewSource): boolean =>
  JSON.stringify(a) !== JSON.stringify(b);

/** Shows the growth film of `seed` as soon as the film is available. */
@customElement('seed-film')
export class SeedFilm extends VisitorElement {
  static override styles = css`
    :host {
      position: relative;
      aspect-ratio: 1;
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
  /** Whether to show the grown organism as a still picture. */
  @property({ type: Boolean }) still = false;
  @state() private film: FilmView | undefined;
  @query('.film') private readonly strip!: HTMLElement | null;
  private animation: Animation | undefined;
  private key = '';
  /** The seed whose film plays. */
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

  /** Shows the seed's film. If it has to be requested, the previous film stays until it arrives. */
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
    // A film that has been painted meanwhile goes on where it was.
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

/** Fires `take` (`detail`: SeedSource) when a seed is chosen. */
@customElement('seed-row')
export class SeedRow extends VisitorElement {
  static override styles = css`
    :host {
      min-width: 0;
    }
    .row {
      display: flex;
      gap: 3px;
      overflow-x: auto;
      overscroll-behavior-x: contain;
      scrollbar-width: none;
      padding: 4px;
      padding-inline: 12px 36px;
      scroll-padding: 0 60px;
      mask-image: linear-gradient(
        calc(var(--forward) * 90deg),
        transparent,
        #000 14px calc(100% - 40px),
        transparent
      );
    }
    button {
      flex: none;
      position: relative;
      width: 3.6em;
      height: 3.6em;
      border-radius: 14px;
      contain: strict;
    }
    .tile,
    seed-film {
      width: 82%;
      height: 82%;
      clip-path: inset(1.5%);
    }
    .own::after {
      content: '';
      position: absolute;
      inset-inline-end: 7px;
      top: 7px;
      width: 6px;
      height: 6px;
      border-radius: 50%;
      background: var(--warm);
    }
  `;

  /**
   * Renders only when the properties below change, because the row may contain hundreds of seeds.
   */
  @property({ attribute: false }) session!: RoomSession;
  /** What the host offers. */
  @property({ attribute: false }) offer: Offer | undefined;
  @property({ attribute: false }) hand: readonly SeedView[] = [];
  @property({ attribute: false }) held!: SeedSource;
  @queryAll('button') private readonly buttons!: NodeListOf<HTMLElement>;

  override render(): TemplateResult {
    const { held } = this;
    const checkpoint = this.session.model.checkpoint!;
    const shown = new Set(offered(checkpoint, this.offer));
    // Include the held seed even if this row does not offer it, because the visitor may have found
    // it by its name.
    if (held.from === 'gallery') shown.add(held.index);
    return html`<div
      class="row"
      role="group"
      aria-label=${msg('Seeds')}
      @wheel=${this.wheel}
      @keydown=${(event: KeyboardEvent) => rove(event, [...this.buttons])}
    >
      ${this.hand.map((seed) => this.own(seed))}
      ${[...shown].map((index) => galleryButton('gallery-item', checkpoint, index, held))}
    </div>`;
  }

  /** Focuses the selected seed, or the first one. */
  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  }

  protected override updated(changed: PropertyValues): void {
    settle([...this.buttons]);
    if (changed.has('held')) this.reveal();
  }

  private own(seed: SeedView): TemplateResult {
    const { held, session } = this;
    const title = seedTitle(seed, session.model.organisms);
    const source = { from: 'hand', seed: seed.id } as const;
    return html`<button
      class="seed own raise middle"
      data-testid="hand-seed"
      data-origin=${seed.origin}
      title=${title}
      aria-label=${title}
      aria-pressed=${held.from === 'hand' && held.seed === seed.id}
      @click=${() => fire(this, 'take', source)}
    >
      <seed-film still .previews=${session.previews} .seed=${source}></seed-film>
    </button>`;
  }

  /**
   * Scrolls the selected seed into view, because the visitor may have chosen it outside this row.
   */
  private reveal(): void {
    const row = this.shadowRoot?.querySelector('.row');
    const held = row?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (!row || !held) return;
    const [outer, inner] = [row.getBoundingClientRect(), held.getBoundingClientRect()];
    if (inner.left > outer.left + 20 && inner.right < outer.right - 40) return;
    row.scrollLeft += inner.left - outer.left - row.clientWidth / 2.4;
  }

  /** Scrolls the row horizontally with a vertical mouse wheel. */
  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    (event.currentTarget as HTMLElement).scrollLeft += forward() * event.deltaY;
    event.preventDefault();
  }
}
