/** The day as a film: made beside the rooms, then downloaded. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { JobState } from '../../../shared/host/state.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { jobReasonText } from '../refusal-text.ts';
import { hostStyle } from '../style.ts';
import { bytes, moment } from '../text.ts';

const HOURS = [
  { hours: 1, name: msg('The last hour') },
  { hours: 8, name: msg('The last 8 hours') },
  { hours: 24, name: msg('The last 24 hours') },
] as const;

@customElement('film-section')
export class FilmSection extends LitElement {
  static override styles = [
    hostStyle,
    css`
      form {
        display: grid;
        gap: 20px;
      }
      .job {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 12px 20px;
        align-items: center;
      }
      progress {
        appearance: none;
        grid-column: 1 / -1;
        width: 100%;
        height: 5px;
        border: 0;
        border-radius: 3px;
        overflow: hidden;
        background: oklch(0.95 0.01 210 / 0.14);
      }
      progress::-webkit-progress-bar {
        background: none;
      }
      progress::-webkit-progress-value {
        background: var(--accent);
        transition: inline-size 0.4s;
      }
      progress::-moz-progress-bar {
        background: var(--accent);
      }
      .job img {
        grid-column: 1 / -1;
        width: 100%;
        max-height: 24em;
        object-fit: contain;
        border-radius: 12px;
        background: oklch(0.14 0.009 228);
      }
      .part {
        margin: 26px 0 12px;
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  @state() private kind: JobState['kind'] = 'gif';
  @state() private hours = 24;
  @state() private seconds = 20;
  /** The film that is looked at. */
  @state() private shown = '';

  override render(): TemplateResult | typeof nothing {
    const { state: all, summary } = this.host;
    if (!all || !summary) return nothing;
    const jobs = all.jobs.filter(({ room }) => room === summary.name).toReversed();
    const going = jobs.some((job) => job.state === 'going');
    return html`<div class="head">
        <div>
          <h2>${msg('Film of the day')}</h2>
          <p class="lead">${msg(str`What happened in “${summary.name}”, in a few seconds. It is made beside the rooms, which go on meanwhile.`)}</p>
        </div>
      </div>
      ${
        all.keeping === null
          ? html`<div class="empty"><p>${msg(html`This server keeps nothing: it was started with <b>--data none</b>. Whoever looks after the machine can start it without that.`)}</p></div>`
          : html`<form class="card" @submit=${this.start}>
              ${this.chips(
                msg('Which time'),
                HOURS.map(({ hours, name }) => ({ value: hours, name })),
                this.hours,
                (hours) => {
                  this.hours = hours;
                },
              )}
              ${this.chips(
                msg('How long the film is'),
                [10, 20, 40, 60].map((value) => ({ value, name: msg(str`${value} seconds`) })),
                this.seconds,
                (seconds) => {
                  this.seconds = seconds;
                },
              )}
              ${this.chips(
                msg('What you get'),
                [
                  { value: 'gif' as const, name: msg('One film (GIF)') },
                  { value: 'png' as const, name: msg('Single pictures (PNG)') },
                ],
                this.kind,
                (kind) => {
                  this.kind = kind;
                },
              )}
              <div><button class="solid" data-testid="make-film" ?disabled=${going}>${hostIcons.film}${going ? msg('One is being made') : msg('Make it')}</button></div>
            </form>`
      }
      ${
        jobs.length > 0
          ? html`<h3 class="part">${msg('Films')}</h3>
              <div class="cards">${jobs.map((job) => this.job(job))}</div>`
          : nothing
      }`;
  }

  private chips<T extends string | number>(
    legend: string,
    choices: readonly { readonly value: T; readonly name: string }[],
    chosen: T,
    choose: (value: T) => void,
  ): TemplateResult {
    return html`<fieldset>
      <legend>${legend}</legend>
      <div class="chips">
        ${choices.map(
          ({ value, name }) => html`<label class="chip"
            ><input type="radio" name=${legend} .checked=${value === chosen} @change=${() => choose(value)} /><span>${name}</span></label
          >`,
        )}
      </div>
    </fieldset>`;
  }

  private job(job: JobState): TemplateResult {
    const { now = 0, zone = 0 } = this.host.state ?? {};
    const file = pathOf(FILES.job, { job: job.id });
    const size = job.bytes === null ? '' : `, ${bytes(job.bytes)}`;
    return html`<article class="card job" aria-label=${job.file} data-testid="job">
      <div>
        <h3>${job.kind === 'gif' ? msg('Film') : msg('Pictures')}</h3>
        <p class="soft">${
          job.state === 'failed'
            ? html`<span class="wrong">${jobReasonText(job.error ?? 'failed')}</span>`
            : html`${moment(job.since, now, zone)}${size}${job.state === 'stopped' ? msg(', stopped') : ''}`
        }</p>
        ${
          job.from === null || job.state === 'failed'
            ? nothing
            : html`<p class="soft" data-testid="film-begins">${msg(str`It begins: ${moment(job.from, now, zone)}`)}</p>`
        }
      </div>
      <div class="row">
        ${
          job.state === 'going'
            ? html`<span class="number" role="status">${Math.round(100 * job.progress)} %</span>
                <button class="plain" @click=${() => this.host.do('stopJob', { job: job.id }, {})}>${msg('Stop')}</button>`
            : job.state === 'done'
              ? html`${
                  job.kind === 'gif'
                    ? html`<button class="plain" @click=${() => this.look(job.id)}>${this.shown === job.id ? msg('Hide') : msg('Look')}</button>`
                    : nothing
                }<a class="button solid" href=${file} download=${job.file}>${hostIcons.save}${msg('Download')}</a>`
              : nothing
        }
      </div>
      ${job.state === 'going' ? html`<progress max="1" value=${job.progress} aria-label=${msg('How far it is')}></progress>` : nothing}
      ${this.shown === job.id && job.state === 'done' ? html`<img src=${file} alt=${msg('The film of this room')} />` : nothing}
    </article>`;
  }

  private look(id: string): void {
    this.shown = this.shown === id ? '' : id;
  }

  private start(event: SubmitEvent): void {
    event.preventDefault();
    const { summary } = this.host;
    if (!summary) return;
    const { kind, hours, seconds } = this;
    void this.host.do('timelapse', { room: summary.name }, { kind, seconds, hours }, () =>
      msg('The film is being made. You can go on with something else.'),
    );
  }
}
