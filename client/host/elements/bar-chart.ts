/** A small bar chart, with the same figures in a table for screen readers. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { number } from '../../elements/text.ts';
import { oklch } from '../../style/fragments.ts';
import { type Bar, type Heat, ninths, roundUp } from '../aggregates.ts';
import { StyledElement } from './styled-element.ts';

const HEIGHT = 168;
const TOP = 20;
const FOOT = 22;

/** Draws `bars` as SVG in the width of the element. */
@customElement('bar-chart')
export class BarChart extends StyledElement {
  static override styles = css`
    svg {
      width: 100%;
      height: auto;
      stroke: none;
    }
    text {
      font-size: 12px;
      fill: var(--ink-soft);
      font-variant-numeric: tabular-nums;
    }
    .bar {
      fill: oklch(0.72 0.075 var(--hue, 172));
    }
    .most {
      fill: oklch(0.86 0.085 var(--hue, 172));
    }
    .zero {
      fill: oklch(0.95 0.01 210 / 0.14);
    }
    line {
      stroke: oklch(0.95 0.01 210 / 0.13);
    }
    details {
      margin-top: 6px;
    }
    summary {
      width: fit-content;
    }
    .scroll {
      max-height: 18em;
      overflow: auto;
    }
    table {
      border-collapse: collapse;
      width: 100%;
    }
    th,
    td {
      padding: 3px 0;
      padding-inline-end: 14px;
      text-align: start;
      font-weight: 400;
      border-bottom: 1px solid var(--line);
    }
    td {
      color: var(--ink);
    }
  `;

  /** Describes the chart. */
  @property() caption = '';
  /** Says how many: '1 visit', '2 visits'. */
  @property({ attribute: false }) amount: (n: number) => string = String;
  @property({ attribute: false }) bars: readonly Bar[] = [];
  /** CSS pixels. The drawing is not scaled, so that text has the same size on every screen. */
  @state() private width = 480;
  private readonly observer = new ResizeObserver(
    () => (this.width = Math.max(160, this.clientWidth)),
  );

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  override render(): TemplateResult {
    const most = Math.max(...this.bars.map(({ value }) => value), 0);
    const top = roundUp(Math.max(most, 1));
    const left = 12 + 7 * String(top).length;
    const { width } = this;
    const step = (width - left) / Math.max(1, this.bars.length);
    const scale = (HEIGHT - TOP - FOOT) / top;
    const floor = HEIGHT - FOOT;
    const line = (
      value: number,
    ) => svg`<line x1=${left} x2=${width} y1=${floor - value * scale} y2=${floor - value * scale} />
      <text x=${left - 7} y=${floor - value * scale + 4} text-anchor="end">${number(value)}</text>`;
    return html`<svg direction="ltr" viewBox="0 0 ${width} ${HEIGHT}" width=${width} height=${HEIGHT} role="img" aria-label=${this.sentence(most)}>
        ${line(0)} ${top % 2 === 0 ? line(top / 2) : nothing} ${line(top)}
        ${this.bars.map(({ tick, label, value }, i) => {
          const height = value === 0 ? 2 : Math.max(3, value * scale);
          const kind = value === 0 ? 'zero' : value === most ? 'most' : 'bar';
          const x = left + i * step;
          return svg`<rect class=${kind} x=${x + step * 0.14} width=${step * 0.72} y=${floor - height} height=${height} rx=${Math.min(3, step * 0.2)}>
              <title>${label}: ${this.amount(value)}</title></rect>
            <text x=${x + step / 2} y=${HEIGHT - 4} text-anchor="middle">${tick}</text>`;
        })}
      </svg>
      <details class="soft">
        <summary class="small">${msg('As a table')}</summary>
        <div class="scroll" tabindex="0" role="region" aria-label=${msg(str`${this.caption}, as a table`)}>
          <table class="number">
            <tbody>
              ${this.bars.map(
                ({ label, value }) => html`<tr>
                  <th scope="row">${label}</th>
                  <td>${this.amount(value)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>`;
  }

  private sentence(most: number): string {
    const peak = this.bars.find(({ value }) => value === most);
    if (!peak || most === 0) return msg(str`${this.caption}: none yet.`);
    return msg(str`${this.caption}. Most: ${this.amount(most)}, ${peak.label}.`);
  }
}

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
