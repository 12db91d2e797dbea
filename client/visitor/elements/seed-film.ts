/** A looping film of a seed's growth, which the server computes. */
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { PreviewSource } from '../../../shared/protocol/commands.ts';
import type { FilmView, Previews } from '../../net/seed-previews.ts';

/** How long the growth lasts and how long the grown organism is shown, ms. */
const GROWTH_DURATION = 2_000;
const GROWN_DURATION = 2_600;
const DURATION = GROWTH_DURATION + GROWN_DURATION;

const isOther = (a?: PreviewSource, b?: PreviewSource): boolean =>
  JSON.stringify(a) !== JSON.stringify(b);

/** Shows the film of its seed as soon as it is available. */
@customElement('seed-film')
export class SeedFilm extends LitElement {
  static override styles = css`
    :host {
      display: block;
      position: relative;
      aspect-ratio: 1;
    }
    i {
      position: absolute;
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
      border-radius: 50%;
      background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.55 0.06 80));
      animation: germ 1.4s ease-in-out infinite;
    }
    @keyframes germ {
      50% {
        opacity: 0.35;
        transform: scale(0.86);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      .germ {
        animation: none;
      }
    }
  `;

  @property({ attribute: false }) previews!: Previews;
  @property({ attribute: false, hasChanged: isOther }) seed: PreviewSource | undefined;
  /** Shows the grown organism as a still picture. */
  @property({ type: Boolean }) still = false;
  @state() private film: FilmView | undefined;
  @query('.film') private readonly strip!: HTMLElement | null;
  private animation: Animation | undefined;
  private unsubscribe: (() => void) | undefined;
  private key = '';

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('aria-hidden', 'true');
    this.unsubscribe = this.previews.onChange(() => this.load());
    if (this.hasUpdated) this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unsubscribe?.();
    this.previews.forget(this);
    this.key = '';
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('seed')) this.load();
  }

  override render(): TemplateResult | typeof nothing {
    const { film } = this;
    if (!film) return this.seed ? html`<i class="germ"></i>` : nothing;
    return html`<i
      class="film"
      style="background-image:url(${film.url});background-size:${film.frames * 100}% 100%"
    ></i>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('film') || changed.has('still')) this.play();
  }

  /** Shows the seed's film, or requests it; until then the previous film stays. */
  private load(): void {
    const { seed, previews } = this;
    if (!seed) {
      this.film = undefined;
      this.key = '';
      previews.forget(this);
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

  private play(): void {
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
  }
}
