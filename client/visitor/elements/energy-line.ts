/** A thin bar below the selected tool: the visitor's remaining energy, in their colour. */
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Event } from '../../../shared/protocol/events.ts';
import { owner } from '../../style/fragments.ts';

/** How long the bar takes to shrink after spending, ms. */
const SPEND_DURATION = 260;

/** Animates the energy and its refill between two server messages. */
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
      transform-origin: calc(50% - 50% * var(--forward));
      background: oklch(${owner} var(--hue));
    }
  `;

  @property({ attribute: false }) energy: Event<'energy'> | undefined;
  /** OKLCH hue of the visitor. */
  @property({ attribute: false }) hue = 0;
  @query('div') private readonly line!: HTMLElement;
  private animation: Animation | undefined;

  override render(): TemplateResult {
    return html`<div></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    this.style.setProperty('--hue', String(this.hue));
    if (changed.has('energy') && this.energy) this.animateTo(this.energy);
  }

  /** Animates from the shown to the actual level, then at the refill rate to the full bar. */
  private animateTo({ level, capacity, refillPerSecond }: Event<'energy'>): void {
    const shown = this.animation ? this.shownShare() : level / capacity;
    const share = Math.min(1, level / capacity);
    const refill = refillPerSecond > 0 ? ((capacity - level) / refillPerSecond) * 1000 : 0;
    const end = refill > 0 ? 1 : share;
    const duration = SPEND_DURATION + refill;
    const frame = (scale: number, offset: number) => ({
      transform: `scaleX(${scale.toFixed(4)})`,
      // A full bar is faint: it matters only when energy runs low.
      opacity: 0.3 + 0.6 * (1 - scale) ** 0.5,
      offset,
    });
    const frames = [frame(shown, 0), frame(share, SPEND_DURATION / duration), frame(end, 1)];
    this.animation?.cancel();
    this.animation = this.line.animate(frames, { duration, fill: 'forwards' });
  }

  private shownShare(): number {
    const { width } = this.line.getBoundingClientRect();
    return Math.min(1, width / Math.max(1, this.getBoundingClientRect().width));
  }
}
