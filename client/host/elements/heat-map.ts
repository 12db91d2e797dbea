/** Heat map of where on the grid visitors planted and wounded, with the same as a sentence. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { oklch } from '../../style/oklch.ts';
import { type Heat, ninths } from '../aggregates.ts';
import { StyledElement } from './styled-element.ts';

/** Draws `heat` in the shape of the grid. */
@customElement('heat-map')
export class HeatMap extends StyledElement {
  static override styles = css`
    canvas {
      max-height: 24em;
      border: 1px solid var(--line);
    }
    p {
      margin-top: 10px;
    }
  `;

  @property({ attribute: false }) heat: Heat = { columns: 1, rows: 1, counts: [0] };
  /** Width by height of the grid. */
  @property({ type: Number }) shape = 1;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override render(): TemplateResult {
    const width = 256;
    return html`<canvas class="picture" width=${width} height=${Math.round(width / this.shape)} role="img" aria-label=${this.sentence()}></canvas>
      <p class="soft">${this.sentence()}</p>`;
  }

  private sentence(): string {
    const parts = ninths(this.heat).filter(({ share }) => share > 0);
    const [first, second] = parts;
    if (!first) return msg('Nobody has planted or wounded anything yet.');
    const per = (share: number): string => `${Math.round(100 * share)} %`;
    const most = msg(str`Busiest: ${first.where} (${per(first.share)}).`);
    if (!second) return most;
    return `${most} ${msg(str`Next: ${second.where} (${per(second.share)}).`)}`;
  }

  protected override updated(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const { columns, rows, counts } = this.heat;
    const most = Math.max(1, ...counts);
    const small = new ImageData(columns, rows);
    for (const [i, count] of counts.entries()) {
      // The square root keeps rarely used places visible.
      const warmth = Math.sqrt(count / most);
      const color = oklch(0.17 + 0.72 * warmth, 0.12 * warmth, 200 - 130 * warmth);
      small.data.set([...color.map((part) => Math.round(255 * part)), 255], 4 * i);
    }
    const source = document.createElement('canvas');
    source.width = columns;
    source.height = rows;
    source.getContext('2d')?.putImageData(small, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source, 0, 0, this.canvas.width, this.canvas.height);
  }
}
