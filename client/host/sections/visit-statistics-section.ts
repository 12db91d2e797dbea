/**
 * Section “Visitors”: statistics about visits, their durations, and visitors' actions by time and
 * position. All numbers are totals without personal data.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import {
  type DayStatistics,
  DWELL_SPANS,
  HEAT_SIDE,
  type Statistics,
} from '../../../shared/host/visit-statistics.ts';
import { number } from '../../elements/text.ts';
import { canvasOf } from '../../keepsake/picture.ts';
import { formats } from '../../locale/locale.ts';
import { oklch } from '../../style/fragments.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

const SPANS = [
  { value: 'today', name: msg('Today') },
  { value: 'yesterday', name: msg('Yesterday') },
  { value: 'week', name: msg('7 days') },
  { value: 'month', name: msg('30 days') },
] as const;

type Span = (typeof SPANS)[number]['value'];

const CHARTS = {
  visits: { name: msg('Visits'), amount: texts.visitsText },
  seeds: { name: msg('Seeds'), amount: texts.seedsText },
  wounds: { name: msg('Wounds'), amount: texts.woundsText },
} as const;

/** The counts that a bar chart can show. */
type Counted = keyof typeof CHARTS;

/**
 * One hour or one day of a chart. `tick`: the text below the bar, '' for none. `label`: the full
 * name of the hour or day. `sums`: the counts; undefined if nothing was recorded.
 */
interface Column {
  readonly tick: string;
  readonly label: string;
  readonly sums: Omit<DayStatistics, 'day'> | undefined;
}

type Bar = Pick<Column, 'tick' | 'label'> & { readonly value: number };

/**
 * Returns a chart's columns, oldest first: the 24 hours of today or yesterday, or the last 7 or 30
 * days.
 *
 * @param now in ms since 1970
 * @param zone the server's time zone, such as 'Europe/Copenhagen'
 */
export function columnsOf(all: Statistics, span: Span, now: number, zone: string): Column[] {
  /** Returns the date `ago` days before today in the server's time zone, such as '2026-11-25'. */
  const dayOf = (ago: number): string =>
    new Date(texts.localTime(now, zone) - ago * 86_400_000).toISOString().slice(0, 10);
  if (span === 'today' || span === 'yesterday') {
    const day = dayOf(span === 'today' ? 0 : 1);
    return Array.from({ length: 24 }, (_, hour) => {
      const [start, end] = [hour, hour + 1].map((n) => String(n).padStart(2, '0'));
      const sums = all.hours.find((each) => each.hour === `${day}T${start}`);
      return { tick: hour % 3 === 0 ? start : '', label: `${start}:00–${end}:00`, sums };
    });
  }
  const count = span === 'week' ? 7 : 30;
  return Array.from({ length: count }, (_, i) => {
    const ago = count - 1 - i;
    const day = dayOf(ago);
    const format = (options: Intl.DateTimeFormatOptions): string =>
      new Date(day).toLocaleDateString(formats(), { ...options, timeZone: 'UTC' });
    const short = count === 7 ? format({ weekday: 'short' }) : number(new Date(day).getUTCDate());
    return {
      tick: count === 7 || ago % 5 === 0 ? short : '',
      label: format({ weekday: 'long', day: 'numeric', month: 'long' }),
      sums: all.days.find((each) => each.day === day),
    };
  });
}

/** Returns the bars of a chart for one kind of count, such as visits. */
export const bars = (columns: readonly Column[], what: Counted): Bar[] =>
  columns.map(({ tick, label, sums }) => ({ tick, label, value: sums?.[what] ?? 0 }));

/**
 * Adds up the counts of all columns. Only `most`, the maximum number of simultaneous visitors, is
 * not a sum. `dwell` counts visits by duration, in ranges with the limits `DWELL_SPANS`. `heat`
 * counts seeds, wounds and grafts by position, [HEAT_SIDE, HEAT_SIDE].
 */
export function total(columns: readonly Column[]) {
  const parts = columns.flatMap(({ sums }) => sums ?? []);
  const sum = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((all, part) => all + of(part), 0);
  return {
    visits: sum(({ visits }) => visits),
    seeds: sum(({ seeds }) => seeds),
    wounds: sum(({ wounds }) => wounds),
    crosses: sum(({ crosses }) => crosses),
    grafts: sum(({ grafts }) => grafts),
    most: Math.max(0, ...parts.map(({ most }) => most)),
    dwell: Array.from({ length: DWELL_SPANS.length + 1 }, (_, i) => sum(({ dwell }) => dwell[i])),
    heat: Array.from({ length: HEAT_SIDE ** 2 }, (_, i) => sum(({ heat }) => heat[i])),
  };
}

/** Returns the bars of a chart that shows the number of visits by duration. */
function dwellBars(dwell: readonly number[]): Bar[] {
  return dwell.map((value, i) => {
    const from: number = DWELL_SPANS[i - 1] ?? 0;
    const to = DWELL_SPANS[i];
    if (to === undefined) {
      return { tick: msg('more'), label: msg(str`more than ${texts.shortSpan(from)}`), value };
    }
    const range = msg(str`${texts.shortSpan(from)} to ${texts.shortSpan(to)}`);
    const label = from === 0 ? msg(str`less than ${texts.shortSpan(to)}`) : range;
    return { tick: to < 60 ? `${to}″` : `${to / 60}′`, label, value };
  });
}

/**
 * Returns the range of durations that contains the median visit, as a text; undefined if there were
 * no visits.
 */
export function medianStay(dwell: readonly number[]): string | undefined {
  const all = dwell.reduce((a, b) => a + b, 0);
  let sum = 0;
  const median = dwell.findIndex((n) => (sum += n) * 2 >= all);
  return all === 0 ? undefined : dwellBars(dwell)[median]?.label;
}

/** Rounds up to a round number: 1, 2, 3, 4, 5, 6, 8, 10, 20 … */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= value) ?? 10 * power;
}

/** Names of the nine parts of a picture that is divided into three rows and three columns. */
const NINTHS = [
  ...[msg('at the top left'), msg('at the top'), msg('at the top right')],
  ...[msg('on the left'), msg('in the middle'), msg('on the right')],
  ...[msg('at the bottom left'), msg('at the bottom'), msg('at the bottom right')],
];

/**
 * Divides a map of counts into nine parts, 3 × 3. Returns each part's position and its share of all
 * counts, largest share first.
 *
 * @param counts the map, [side, side]
 */
export function ninths(counts: readonly number[]): { where: string; share: number }[] {
  const side = Math.sqrt(counts.length);
  const all = counts.reduce((a, b) => a + b, 0);
  const ninths = NINTHS.map((where) => ({ where, share: 0 }));
  for (const [i, count] of counts.entries()) {
    const [row, column] = [Math.floor(i / side), i % side].map((at) => Math.floor((at * 3) / side));
    ninths[3 * row + column].share += count / Math.max(1, all);
  }
  return ninths.sort((a, b) => b.share - a.share);
}

const HEIGHT = 168;
const TOP = 20;
const FOOT = 22;

/** Colours of the bars. A chart may change their hue with the CSS variable `--hue`. */
const FILLS = {
  bar: 'oklch(0.72 0.075 var(--hue, 172))',
  most: 'oklch(0.86 0.085 var(--hue, 172))',
  zero: 'oklch(0.95 0.01 210 / 0.14)',
} as const;

/** Draws a bar chart as SVG, as wide as the element. */
@customElement('bar-chart')
export class BarChart extends ui.HostElement {
  static override styles = css`
    svg {
      width: 100%;
      height: auto;
      stroke: none;
    }
    text {
      font-size: 12px;
      fill: var(--ink-soft);
    }
    .scroll {
      max-height: 18em;
      overflow: auto;
    }
    td {
      color: var(--ink);
    }
  `;

  @property() caption = '';
  /** Formats a count with its noun: '1 visit', '2 visits'. */
  @property({ attribute: false }) amount: (n: number) => string = String;
  @property({ attribute: false }) bars: readonly Bar[] = [];
  /**
   * Width of the chart's element, in CSS pixels. The chart is drawn at this width instead of being
   * scaled, so that text has the same size on every screen.
   */
  @state() private width = 480;

  protected override firstUpdated(): void {
    new ResizeObserver(() => (this.width = Math.max(160, this.clientWidth))).observe(this);
  }

  override render(): TemplateResult {
    const most = Math.max(...this.bars.map(({ value }) => value), 0);
    const top = roundUp(Math.max(most, 1));
    const left = 12 + 7 * String(top).length;
    const { width } = this;
    const step = (width - left) / Math.max(1, this.bars.length);
    const scale = (HEIGHT - TOP - FOOT) / top;
    const floor = HEIGHT - FOOT;
    const line = (value: number) => {
      const y = floor - value * scale;
      return svg`<line stroke="oklch(0.95 0.01 210 / 0.13)" x1=${left} x2=${width} y1=${y} y2=${y} />
      <text x=${left - 7} y=${y + 4} text-anchor="end">${number(value)}</text>`;
    };
    const row = ({ label, value }: Bar): TemplateResult =>
      html`<tr><th scope="row">${label}</th><td>${this.amount(value)}</td></tr>`;
    return html`<svg class="number" direction="ltr" viewBox="0 0 ${width} ${HEIGHT}" width=${width} height=${HEIGHT} role="img" aria-label=${this.sentence(most)}>
        ${line(0)} ${top % 2 === 0 ? line(top / 2) : nothing} ${line(top)}
        ${this.bars.map(({ tick, label, value }, i) => {
          const height = value === 0 ? 2 : Math.max(3, value * scale);
          const kind = value === 0 ? 'zero' : value === most ? 'most' : 'bar';
          const x = left + i * step;
          return svg`<rect fill=${FILLS[kind]} x=${x + step * 0.14} width=${step * 0.72} y=${floor - height} height=${height} rx=${Math.min(3, step * 0.2)}>
              <title>${label}: ${this.amount(value)}</title></rect>
            <text x=${x + step / 2} y=${HEIGHT - 4} text-anchor="middle">${tick}</text>`;
        })}
      </svg>
      <details class="soft mt-6">
        <summary class="small fit">${msg('As a table')}</summary>
        <div class="scroll" tabindex="0" role="region" aria-label=${msg(str`${this.caption}, as a table`)}>
          <table class="number"><tbody>${this.bars.map(row)}</tbody></table>
        </div>
      </details>`;
  }

  private sentence(most: number): string {
    const peak = this.bars.find(({ value }) => value === most);
    if (!peak || most === 0) return msg(str`${this.caption}: none yet.`);
    return msg(str`${this.caption}. Most: ${this.amount(most)}, ${peak.label}.`);
  }
}

/** Draws a heat map of visitors' actions, stretched to the shape of the room. */
@customElement('heat-map')
export class HeatMap extends ui.HostElement {
  static override styles = css`
    canvas {
      max-height: 24em;
      border: 1px solid var(--line);
    }
  `;

  /** Number of actions by position, [HEAT_SIDE, HEAT_SIDE]. */
  @property({ attribute: false }) heat!: readonly number[];
  /** Ratio of the room's width to its height. */
  @property({ type: Number }) shape = 1;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override render(): TemplateResult {
    const width = 256;
    return html`<canvas class="picture" width=${width} height=${Math.round(width / this.shape)} role="img" aria-label=${this.sentence()}></canvas>
      <p class="soft mt-10">${this.sentence()}</p>`;
  }

  private sentence(): string {
    const [first, second] = ninths(this.heat).filter(({ share }) => share > 0);
    if (!first) return msg('Nobody has planted or wounded anything yet.');
    const per = (share: number): string => `${Math.round(100 * share)} %`;
    const most = msg(str`Busiest: ${first.where} (${per(first.share)}).`);
    if (!second) return most;
    return `${most} ${msg(str`Next: ${second.where} (${per(second.share)}).`)}`;
  }

  protected override updated(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const most = Math.max(1, ...this.heat);
    const small = new ImageData(HEAT_SIDE, HEAT_SIDE);
    for (const [i, count] of this.heat.entries()) {
      // Take the square root, so that positions with few actions stay visible.
      const warmth = Math.sqrt(count / most);
      const color = oklch(0.17 + 0.72 * warmth, 0.12 * warmth, 200 - 130 * warmth);
      small.data.set([...color.map((part) => Math.round(255 * part)), 255], 4 * i);
    }
    const source = canvasOf(HEAT_SIDE, HEAT_SIDE);
    source.to.putImageData(small, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source.canvas, 0, 0, this.canvas.width, this.canvas.height);
  }
}

@customElement('visitors-section')
export class VisitorsSection extends ui.HostElement<Statistics> {
  static override styles = css`
    .figures {
      grid-template-columns: repeat(auto-fit, minmax(8.4em, 1fr));
      margin: 18px 0 14px;
    }
    /* Use three columns, so that no row has a single figure. */
    @media (min-width: 560px) and (max-width: 1000px) {
      .figures {
        grid-template-columns: repeat(3, 1fr);
      }
    }
    .figures .card {
      display: flex;
      flex-direction: column-reverse;
      justify-content: start;
      padding: 16px 18px;
    }
    dd {
      font-size: 2em;
      font-weight: 300;
      letter-spacing: -0.01em;
      line-height: 1.25;
    }
    .text {
      font-size: 1.2em;
      line-height: 2.05;
      white-space: nowrap;
    }
    .seeds {
      --hue: 130;
    }
    .wounds {
      --hue: 45;
    }
  `;

  @state() private span: Span = 'today';
  protected override readonly reloadInterval = 20_000;

  protected override section({ name: room, width, height }: RoomSummary, { now, zone }: HostState) {
    const { loaded, loadFailure, span } = this;
    const download = html`<a class="button plain" href="${pathOf(FILES.statistics, { room })}?by=hour" download="${room}.csv">${hostIcons.save}${msg('Download table')}</a>`;
    const status = html`<p class="lead" role="status">${loadFailure || msg('Counting …')}</p>`;
    const lead = msg('Only totals are stored, without names or addresses.');
    return html`${ui.sectionHead(msg(str`Visitors of “${room}”`), lead, download)}
      ${ui.radioChips(msg('Period'), SPANS, span, (chosen) => (this.span = chosen))}
      ${loaded ? this.figures(columnsOf(loaded, span, now, zone), width / height) : status}`;
  }

  /**
   * Renders the numbers and charts of a period.
   *
   * @param columns the period's counts, by hour or day
   * @param shape ratio of the room's width to its height
   */
  private figures(columns: ReturnType<typeof columnsOf>, shape: number): TemplateResult {
    const { dwell, heat, ...sums } = total(columns);
    const hourly = this.span === 'today' || this.span === 'yesterday';
    const titles = {
      visits: hourly ? msg('Visits per hour') : msg('Visits per day'),
      seeds: hourly ? msg('Seeds per hour') : msg('Seeds per day'),
      wounds: hourly ? msg('Wounds per hour') : msg('Wounds per day'),
    };
    const figures: [name: string, value: number | string][] = [
      [msg('visits'), sums.visits],
      [msg('most at once'), sums.most],
      [msg('typical stay'), medianStay(dwell) ?? msg('none yet')],
      [msg('seeds'), sums.seeds],
      [msg('wounds'), sums.wounds],
      [msg('crosses'), sums.crosses],
      [msg('grafts'), sums.grafts],
    ];
    const chart = (what: keyof typeof CHARTS, place = ''): TemplateResult => {
      const { name, amount } = CHARTS[what];
      return html`<section class="card ${what} ${place}" aria-label=${name}>
        <h3 class="mb-12">${titles[what]}</h3>
        <bar-chart caption=${titles[what]} .amount=${amount} .bars=${bars(columns, what)}></bar-chart>
      </section>`;
    };
    const figure = ([name, value]: (typeof figures)[number]): TemplateResult =>
      html`<div class="card">
        <dt class="soft">${name}</dt>
        <dd class="number ${typeof value === 'string' ? 'text' : ''}">${value}</dd>
      </div>`;
    return html`<dl class="figures grid gap-14" data-testid="figures">${figures.map(figure)}</dl>
      <div class="tiles gap-14" style="--least:24em">
        ${chart('visits', 'whole')}
        <section class="card" aria-label=${msg('How long they stayed')}>
          <h3 class="mb-12">${msg('How long they stayed')}</h3>
          <bar-chart caption=${msg('Duration of visits')} .amount=${texts.visitsText} .bars=${dwellBars(dwell)}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('Where visitors acted')}>
          <h3 class="mb-12">${msg('Where visitors planted, wounded and grafted')}</h3>
          <heat-map .heat=${heat} .shape=${shape}></heat-map>
        </section>
        ${chart('seeds')} ${chart('wounds')}
      </div>`;
  }

  protected override load(room: string) {
    return host.api.call('statistics', { room });
  }
}
