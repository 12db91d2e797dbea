/** A thin line under the tool in hand: what energy she has left, in her own colour. It grows back by itself. */
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Event } from '../../../shared/protocol/events.ts';
import { owner } from '../../style/owner.ts';

/** How long what was spent is seen to go, ms. */
const SPENDING = 260;

@customElement('energy-line')
export class EnergyLine extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 2px;
      border-radius: 1px;
      overflow: hidden;
      background: oklch(0.95 0.01 210 / 0.1);
      pointer-events: none;
    }
    div {
      height: 100%;
      border-radius: 1px;
      transform-origin: left;
      background: oklch(${owner} var(--hue));
    }
  `;

  @property({ attribute: false }) energy: Event<'energy'> | undefined;
  /** OKLCH hue of the visitor. */
  @property({ attribute: false }) hue = 0;
  @query('div') private readonly line!: HTMLElement;
  private motion: Animation | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // What is refused is said in words.
    this.setAttribute('aria-hidden', 'true');
  }

  override render(): TemplateResult {
    return html`<div></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    this.style.setProperty('--hue', String(this.hue));
    if (changed.has('energy') && this.energy) this.flow(this.energy);
  }

  /** From what is shown to what is there, and from there, as fast as it refills, to the full line. */
  private flow({ level, capacity, refillPerSecond }: Event<'energy'>): void {
    const shown = this.motion ? this.shownShare() : level / capacity;
    const share = Math.min(1, level / capacity);
    const refill = refillPerSecond > 0 ? ((capacity - level) / refillPerSecond) * 1000 : 0;
    const end = refill > 0 ? 1 : share;
    const duration = SPENDING + refill;
    const frame = (scale: number, offset: number) => ({
      transform: `scaleX(${scale.toFixed(4)})`,
      // A full line is hardly there: calm use never needs to look at it.
      opacity: 0.3 + 0.6 * (1 - scale) ** 0.5,
      offset,
    });
    const frames = [frame(shown, 0), frame(share, SPENDING / duration), frame(end, 1)];
    this.motion?.cancel();
    this.motion = this.line.animate(frames, { duration, fill: 'forwards' });
  }

  private shownShare(): number {
    const { width } = this.line.getBoundingClientRect();
    return Math.min(1, width / Math.max(1, this.getBoundingClientRect().width));
  }
}
