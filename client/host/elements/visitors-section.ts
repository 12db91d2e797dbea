/** How the day went: visits, how long they took, what was done and where. Sums alone, of nobody in particular. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import { HEAT_SIDE, type Statistics } from '../../../shared/host/statistics.ts';
import { bars, columnsOf, dwellBars, middleStay, type Span, total } from '../aggregates.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { hostStyle } from '../style.ts';
import { failure } from '../text.ts';
import './bar-chart.ts';
import './heat-map.ts';

const SPANS: readonly { readonly id: Span; readonly name: string }[] = [
  { id: 'today', name: msg('Today') },
  { id: 'yesterday', name: msg('Yesterday') },
  { id: 'week', name: msg('7 days') },
  { id: 'month', name: msg('30 days') },
];
const AGAIN = 20_000;

@customElement('visitors-section')
export class VisitorsSection extends LitElement {
  static override styles = [
    hostStyle,
    css`
      .figures {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8.4em, 1fr));
        gap: 14px;
        margin: 18px 0 14px;
      }
      .figures .card {
        padding: 16px 18px;
      }
      .figures dd {
        margin: 0;
        font-size: 2em;
        font-weight: 300;
        letter-spacing: -0.01em;
        line-height: 1.25;
        font-variant-numeric: tabular-nums;
      }
      .figures .words {
        font-size: 1.2em;
        line-height: 2.05;
        white-space: nowrap;
      }
      .figures dt {
        color: var(--ink-soft);
      }
      .figures > div {
        display: flex;
        flex-direction: column-reverse;
        justify-content: start;
      }
      dl {
        margin: 0;
      }
      .charts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 24em), 1fr));
        gap: 14px;
      }
      .charts h3 {
        margin-bottom: 12px;
      }
      .wide {
        grid-column: 1 / -1;
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  @state() private all: Statistics | undefined;
  @state() private span: Span = 'today';
  @state() private wrong = '';
  private of = '';
  private askedAt = 0;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { room, state: known } = this.host;
    const now = known?.now ?? 0;
    if (room && (room !== this.of || now - this.askedAt > AGAIN)) {
      if (room !== this.of) this.all = undefined;
      this.of = room;
      this.askedAt = now;
      void this.load(room);
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { host, all } = this;
    const { state: known, summary, room } = host;
    if (!known || !summary) return nothing;
    return html`<div class="head">
        <div>
          <h2>${msg(str`Visitors of “${room}”`)}</h2>
          <p class="lead">${msg('Sums alone. Nobody’s name or address is kept.')}</p>
        </div>
        <a class="button plain" href="${pathOf(FILES.statistics, { room })}?by=hour" download="${room}.csv">${hostIcons.save}${msg('Download as a table')}</a>
      </div>
      <div class="chips" role="radiogroup" aria-label=${msg('Time')}>
        ${SPANS.map(
          ({ id, name }) => html`<label class="chip"
            ><input
              type="radio"
              name="span"
              .checked=${id === this.span}
              @change=${() => {
                this.span = id;
              }}
            /><span>${name}</span></label
          >`,
        )}
      </div>
      ${all ? this.figures(all, known.now, known.zone) : html`<p class="lead" role="status">${this.wrong || msg('Counting …')}</p>`}`;
  }

  private figures(all: Statistics, now: number, zone: number): TemplateResult {
    const columns = columnsOf(all, this.span, now, zone);
    const sums = total(columns);
    const stay = middleStay(sums.dwell);
    const hourly = this.span === 'today' || this.span === 'yesterday';
    const visits = hourly ? msg('Visits by the hour') : msg('Visits by the day');
    const seeds = hourly ? msg('Seeds by the hour') : msg('Seeds by the day');
    const wounds = hourly ? msg('Wounds by the hour') : msg('Wounds by the day');
    const figure = (name: string, value: number | string): TemplateResult => html`<div class="card">
      <dt>${name}</dt>
      <dd class=${typeof value === 'string' ? 'words' : ''}>${value}</dd>
    </div>`;
    return html`<dl class="figures" data-testid="figures">
        ${figure(msg('visits'), sums.visits)} ${figure(msg('at most at once'), sums.most)}
        ${figure(msg('a usual stay'), stay ?? msg('none yet'))} ${figure(msg('seeds'), sums.seeds)}
        ${figure(msg('wounds'), sums.wounds)} ${figure(msg('crosses'), sums.crosses)}
      </dl>
      <div class="charts">
        <section class="card wide" aria-label=${msg('Visits')}>
          <h3>${visits}</h3>
          <bar-chart caption=${visits} unit=${msg('visits')} .bars=${bars(columns, 'visits')}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('How long they stayed')}>
          <h3>${msg('How long they stayed')}</h3>
          <bar-chart caption=${msg('How long visits took')} unit=${msg('visits')} .bars=${dwellBars(sums.dwell)}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('Where hands were')}>
          <h3>${msg('Where seeds and wounds were')}</h3>
          <heat-map
            .heat=${{ columns: HEAT_SIDE, rows: HEAT_SIDE, counts: sums.heat }}
            .shape=${(this.host.summary?.width ?? 1) / (this.host.summary?.height ?? 1)}
          ></heat-map>
        </section>
        <section class="card" aria-label=${msg('Seeds')}>
          <h3>${seeds}</h3>
          <bar-chart style="--tone:130" caption=${seeds} unit=${msg('seeds')} .bars=${bars(columns, 'seeds')}></bar-chart>
        </section>
        <section class="card" aria-label=${msg('Wounds')}>
          <h3>${wounds}</h3>
          <bar-chart style="--tone:45" caption=${wounds} unit=${msg('wounds')} .bars=${bars(columns, 'wounds')}></bar-chart>
        </section>
      </div>`;
  }

  private async load(room: string): Promise<void> {
    try {
      const all = await this.host.api.call('statistics', { room }, {});
      if (room === this.of) this.all = all;
      this.wrong = '';
    } catch (error) {
      this.wrong = failure(error);
    }
  }
}
