/**
 * Visit statistics: visits, durations, actions and where they happened. Totals only, no personal
 * data.
 */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary, Statistics } from '../../../shared/host/state.ts';
import {
  bars,
  type Counted,
  columnsOf,
  dwellBars,
  medianStay,
  type Span,
  total,
} from '../elements/bar-chart.ts';
import { type Choice, HostElement, radioChips, sectionHead } from '../elements/host-element.ts';
import { hostIcons } from '../icons.ts';
import { failure, seedsText, visitsText, woundsText } from '../text.ts';

const SPANS: readonly Choice<Span>[] = [
  { value: 'today', name: msg('Today') },
  { value: 'yesterday', name: msg('Yesterday') },
  { value: 'week', name: msg('7 days') },
  { value: 'month', name: msg('30 days') },
];

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
      padding: 16px 18px;
    }
    .figures dd {
      font-size: 2em;
      font-weight: 300;
      letter-spacing: -0.01em;
      line-height: 1.25;
      font-variant-numeric: tabular-nums;
    }
    .figures .text {
      font-size: 1.2em;
      line-height: 2.05;
      white-space: nowrap;
    }
    .figures > div {
      display: flex;
      flex-direction: column-reverse;
      justify-content: start;
    }
    .charts {
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 24em), 1fr));
    }
    .charts h3 {
      margin-bottom: 12px;
    }
    .visits {
      grid-column: 1 / -1;
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

  protected override section({ name: room }: RoomSummary, state: HostState): TemplateResult {
    const { all } = this;
    const download = html`<a class="button plain" href="${pathOf(FILES.statistics, { room })}?by=hour" download="${room}.csv">${hostIcons.save}${msg('Download table')}</a>`;
    const lead = msg('Totals only. No names or addresses are stored.');
    return html`${sectionHead(msg(str`Visitors of “${room}”`), lead, download)}
      ${radioChips(msg('Period'), SPANS, this.span, (span) => (this.span = span))}
      ${all ? this.figures(all, state.now, state.zone) : html`<p class="lead" role="status">${this.wrong || msg('Counting …')}</p>`}`;
  }

  private figures(all: Statistics, now: number, zone: string): TemplateResult {
    const columns = columnsOf(all, this.span, now, zone);
    const sums = total(columns);
    const stay = medianStay(sums.dwell);
    const hourly = this.span === 'today' || this.span === 'yesterday';
    const visits = hourly ? msg('Visits per hour') : msg('Visits per day');
    const seeds = hourly ? msg('Seeds per hour') : msg('Seeds per day');
    const wounds = hourly ? msg('Wounds per hour') : msg('Wounds per day');
    const figure = (name: string, value: number | string): TemplateResult => html`<div class="card">
      <dt class="soft">${name}</dt>
      <dd class=${typeof value === 'string' ? 'text' : ''}>${value}</dd>
    </div>`;
    const amounts = { visits: visitsText, seeds: seedsText, wounds: woundsText };
    const chart = (
      label: string,
      what: Counted,
      title: string,
    ): TemplateResult => html`<section class="card ${what}" aria-label=${label}>
      <h3>${title}</h3>
      <bar-chart caption=${title} 
        .amount=${amounts[what]} .bars=${bars(columns, what)}></bar-chart>
    </section>`;
    return html`<dl class="figures grid gap-14" data-testid="figures">
        ${figure(msg('visits'), sums.visits)} ${figure(msg('most at once'), sums.most)}
        ${figure(msg('typical stay'), stay ?? msg('none yet'))} ${figure(msg('seeds'), sums.seeds)}
        ${figure(msg('wounds'), sums.wounds)} ${figure(msg('crosses'), sums.crosses)}
      </dl>
      <div class="charts grid gap-14">
        ${chart(msg('Visits'), 'visits', visits)}
        <section class="card" aria-label=${msg('How long they stayed')}>
          <h3>${msg('How long they stayed')}</h3>
          <bar-chart caption=${msg('Duration of visits')} .amount=${visitsText} .bars=${dwellBars(sums.dwell)}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('Where visitors acted')}>
          <h3>${msg('Where seeds and wounds were')}</h3>
          <heat-map
            .heat=${sums.heat}
            .shape=${(this.host.summary?.width ?? 1) / (this.host.summary?.height ?? 1)}
          ></heat-map>
        </section>
        ${chart(msg('Seeds'), 'seeds', seeds)} ${chart(msg('Wounds'), 'wounds', wounds)}
      </div>`;
  }

  protected override async load(room: string): Promise<void> {
    try {
      const all = await this.host.api.call('statistics', { room }, {});
      if (room === this.shownRoom) this.all = all;
      this.wrong = '';
    } catch (error) {
      this.wrong = failure(error);
    }
  }
}
