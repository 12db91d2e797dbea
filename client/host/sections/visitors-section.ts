/**
 * Visit statistics: visits, durations, actions and where they happened. Totals only, no personal
 * data.
 */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary, Statistics } from '../../../shared/host/state.ts';
import { bars, columnsOf, dwellBars, medianStay, type Span, total } from '../elements/bar-chart.ts';
import { type Choice, HostElement, radioChips, sectionHead } from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { failure, seedsText, visitsText, woundsText } from '../text.ts';

const SPANS: readonly Choice<Span>[] = [
  { value: 'today', name: msg('Today') },
  { value: 'yesterday', name: msg('Yesterday') },
  { value: 'week', name: msg('7 days') },
  { value: 'month', name: msg('30 days') },
];

const CHARTS = {
  visits: { name: msg('Visits'), amount: visitsText },
  seeds: { name: msg('Seeds'), amount: seedsText },
  wounds: { name: msg('Wounds'), amount: woundsText },
} as const;

@customElement('visitors-section')
export class VisitorsSection extends HostElement {
  static override styles = css`
    .figures {
      grid-template-columns: repeat(auto-fit, minmax(8.4em, 1fr));
      margin: 18px 0 14px;
    }
    /* Six figures: no single one in a row of its own. */
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
      font-variant-numeric: tabular-nums;
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

  @state() private all: Statistics | undefined;
  @state() private span: Span = 'today';
  @state() private wrong = '';
  protected override readonly reloadInterval = 20_000;

  protected override roomChanged(): void {
    this.all = undefined;
  }

  protected override section({ name: room, width, height }: RoomSummary, { now, zone }: HostState) {
    const { all, span } = this;
    const download = html`<a class="button plain" href="${pathOf(FILES.statistics, { room })}?by=hour" download="${room}.csv">${hostIcons.save}${msg('Download table')}</a>`;
    const lead = msg('Totals only. No names or addresses are stored.');
    return html`${sectionHead(msg(str`Visitors of “${room}”`), lead, download)}
      ${radioChips(msg('Period'), SPANS, span, (chosen) => (this.span = chosen))}
      ${
        all
          ? this.figures(columnsOf(all, span, now, zone), width / height)
          : html`<p class="lead" role="status">${this.wrong || msg('Counting …')}</p>`
      }`;
  }

  /** @param shape ratio of the room's width to its height */
  private figures(columns: ReturnType<typeof columnsOf>, shape: number): TemplateResult {
    const { dwell, heat, ...sums } = total(columns);
    const hourly = this.span === 'today' || this.span === 'yesterday';
    const titles = {
      visits: hourly ? msg('Visits per hour') : msg('Visits per day'),
      seeds: hourly ? msg('Seeds per hour') : msg('Seeds per day'),
      wounds: hourly ? msg('Wounds per hour') : msg('Wounds per day'),
    };
    const figures: readonly (readonly [name: string, value: number | string])[] = [
      [msg('visits'), sums.visits],
      [msg('most at once'), sums.most],
      [msg('typical stay'), medianStay(dwell) ?? msg('none yet')],
      [msg('seeds'), sums.seeds],
      [msg('wounds'), sums.wounds],
      [msg('crosses'), sums.crosses],
    ];
    const chart = (what: keyof typeof CHARTS, place = ''): TemplateResult => {
      const { name, amount } = CHARTS[what];
      return html`<section class="card ${what} ${place}" aria-label=${name}>
        <h3 class="mb-12">${titles[what]}</h3>
        <bar-chart caption=${titles[what]} .amount=${amount} .bars=${bars(columns, what)}></bar-chart>
      </section>`;
    };
    return html`<dl class="figures grid gap-14" data-testid="figures">
        ${figures.map(
          ([name, value]) => html`<div class="card">
            <dt class="soft">${name}</dt>
            <dd class=${typeof value === 'string' ? 'text' : ''}>${value}</dd>
          </div>`,
        )}
      </dl>
      <div class="tiles gap-14" style="--least:24em">
        ${chart('visits', 'whole')}
        <section class="card" aria-label=${msg('How long they stayed')}>
          <h3 class="mb-12">${msg('How long they stayed')}</h3>
          <bar-chart caption=${msg('Duration of visits')} .amount=${visitsText} .bars=${dwellBars(dwell)}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('Where visitors acted')}>
          <h3 class="mb-12">${msg('Where seeds and wounds were')}</h3>
          <heat-map .heat=${heat} .shape=${shape}></heat-map>
        </section>
        ${chart('seeds')} ${chart('wounds')}
      </div>`;
  }

  protected override async load(room: string): Promise<void> {
    try {
      const all = await host.api.call('statistics', { room });
      if (room === host.room) this.all = all;
      this.wrong = '';
    } catch (error) {
      this.wrong = failure(error);
    }
  }
}
