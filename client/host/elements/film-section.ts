/** Makes timelapse films of the selected room in the background, to download. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, JobState, RoomSummary } from '../../../shared/host/state.ts';
import { timeText } from '../../elements/text.ts';
import type { Size } from '../../render/camera.ts';
import { hostIcons } from '../icons.ts';
import { JOB_REASON_TEXTS } from '../refusal-text.ts';
import { bytes, moment } from '../text.ts';
import './film-viewer.ts';
import { HostElement } from './host-element.ts';
import { type Choice, noStorage, radioChips, sectionHead } from './templates.ts';

const HOURS = [
  { value: 1, name: msg('The last hour') },
  { value: 8, name: msg('The last 8 hours') },
  { value: 24, name: msg('The last 24 hours') },
];
const SECONDS = [10, 20, 40, 60].map((value) => ({ value, name: timeText(value, 'second') }));
const KINDS: readonly Choice<JobState['kind']>[] = [
  { value: 'gif', name: msg('A film (GIF)') },
  { value: 'png', name: msg('Separate images (PNG)') },
];

/** Section “Film of the day”. */
@customElement('film-section')
export class FilmSection extends HostElement {
  static override styles = css`
    form {
      gap: 20px;
    }
    .job {
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
    film-viewer {
      grid-column: 1 / -1;
    }
    @media (max-width: 560px) {
      .job {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;

  @state() private kind: JobState['kind'] = 'gif';
  @state() private hours = 24;
  @state() private seconds = 20;
  /** Id of the film that is previewed; '' if none is. */
  @state() private previewed = '';

  protected override section({ name, width, height }: RoomSummary, all: HostState): TemplateResult {
    const jobs = all.jobs.filter(({ room }) => room === name).toReversed();
    const running = jobs.some((job) => job.state === 'going');
    const lead = msg(
      str`What happened in “${name}”, in a few seconds. It is made in the background while the rooms keep running.`,
    );
    return html`${sectionHead(msg('Film of the day'), lead)}
      ${
        all.keeping === null
          ? noStorage()
          : html`<form class="card" @submit=${this.start}>
              ${radioChips(msg('Period'), HOURS, this.hours, (hours) => (this.hours = hours))}
              ${radioChips(msg('Length of the film'), SECONDS, this.seconds, (seconds) => (this.seconds = seconds))}
              ${radioChips(msg('Format'), KINDS, this.kind, (kind) => (this.kind = kind))}
              <div><button class="solid" data-testid="make-film" ?disabled=${running}>${hostIcons.film}${running ? msg('A film is being made') : msg('Make the film')}</button></div>
            </form>`
      }
      ${
        jobs.length > 0
          ? html`<h3 class="part">${msg('Films')}</h3>
              <div class="cards">${jobs.map((job) => this.job(job, { width, height }, all))}</div>`
          : nothing
      }`;
  }

  private job(job: JobState, size: Size, { now, zone }: HostState): TemplateResult {
    const isPreviewed = this.previewed === job.id;
    const file = pathOf(FILES.job, { job: job.id });
    const weight = job.bytes === null ? '' : `, ${bytes(job.bytes)}`;
    return html`<article class="card job grid" aria-label=${job.file} data-testid="job">
      <div>
        <h3>${job.kind === 'gif' ? msg('Film') : msg('Images')}</h3>
        <p class="soft">${
          job.state === 'failed'
            ? html`<span class="wrong">${JOB_REASON_TEXTS[job.error ?? 'failed']}</span>`
            : html`${moment(job.since, now, zone)}${weight}${job.state === 'stopped' ? msg(', stopped') : ''}`
        }</p>
        ${
          job.from === null || job.state === 'failed'
            ? nothing
            : html`<p class="soft" data-testid="film-begins">${msg(str`It starts: ${moment(job.from, now, zone)}`)}</p>`
        }
      </div>
      <div class="row">
        ${
          job.state === 'going'
            ? html`<span class="number" role="status">${Math.round(100 * job.progress)} %</span>
                <button class="plain" @click=${() => this.host.do('stopJob', { job: job.id }, {})}>${msg('Stop')}</button>`
            : job.state === 'done'
              ? html`<button class="plain" data-testid="look-film" @click=${() => (this.previewed = isPreviewed ? '' : job.id)}>${isPreviewed ? msg('Hide') : msg('Look')}</button><a class="button solid" href=${file} download=${job.file}>${hostIcons.save}${msg('Download')}</a>`
              : nothing
        }
      </div>
      ${job.state === 'going' ? html`<progress max="1" value=${job.progress} aria-label=${msg('Progress')}></progress>` : nothing}
      ${
        isPreviewed && job.state === 'done'
          ? html`<film-viewer .host=${this.host} .version=${this.version} .job=${job} .size=${size}></film-viewer>`
          : nothing
      }
    </article>`;
  }

  private start(event: SubmitEvent): void {
    event.preventDefault();
    const { kind, hours, seconds, shownRoom: room } = this;
    void this.host.do('timelapse', { room }, { kind, seconds, hours }, () =>
      msg('The film is being made. You can leave this page in the meantime.'),
    );
  }
}
