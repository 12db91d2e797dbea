/** Toasts: short messages on the canvas. */
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { layerStyle } from '../../elements/cursor-layer.ts';
import type { Point } from '../../render/camera.ts';
import { VisitorElement } from './page-element.ts';

/**
 * How long a toast is shown, in ms: `PER_LETTER` for each letter of its text, but at least
 * `DURATION`.
 */
const DURATION = 2_600;
const PER_LETTER = 75;
const MAX_TOASTS = 3;

type Toast = Point & Readonly<{ id: number; text: string; duration: number }>;

/** Overlay on the canvas that shows toasts (short messages). */
@customElement('toast-layer')
export class ToastLayer extends VisitorElement {
  static override styles = css`
    ${layerStyle}
    :host {
      z-index: 6;
    }
    div {
      width: max-content;
      max-width: min(22em, 80vw);
      padding: 0.5em 0.95em;
      border-radius: 1.4em;
      background: var(--panel);
      border: 1px solid var(--line);
      translate: -50% calc(-100% - 20px);
      animation: toast ease-out both;
    }
    @keyframes toast {
      0% {
        opacity: 0;
        transform: translateY(6px);
      }
      8%,
      75% {
        opacity: 1;
        transform: none;
      }
      100% {
        opacity: 0;
      }
    }
  `;

  @state() private toasts: readonly Toast[] = [];
  private nextId = 1;

  /** Shows a toast near a point, in CSS pixels. Replaces a toast with an identical text. */
  show(text: string, { x, y }: Point): void {
    const id = this.nextId++;
    // Keep the whole toast inside the layer.
    const em = Number.parseFloat(getComputedStyle(this).fontSize);
    const margin = Math.min(11 * em, 0.4 * this.clientWidth) + 4;
    const place = {
      x: Math.max(margin, Math.min(this.clientWidth - margin, x)),
      y: Math.max(80, Math.min(this.clientHeight - 40, y)),
    };
    const duration = Math.max(DURATION, PER_LETTER * text.length);
    const others = this.toasts.filter((toast) => toast.text !== text);
    this.toasts = [...others, { id, text, duration, ...place }].slice(-MAX_TOASTS);
    setTimeout(() => {
      this.toasts = this.toasts.filter((toast) => toast.id !== id);
    }, duration);
  }

  override render(): TemplateResult {
    return html`${repeat(
      this.toasts,
      ({ id }) => id,
      ({ text, x, y, duration }) =>
        html`<div class="over centred" data-testid="toast" style="left:${x}px;top:${y}px;animation-duration:${duration}ms">${text}</div>`,
    )}`;
  }
}
