/** Makes timelapse films of the selected room in the background, to download. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, JobState, RoomSummary } from '../../../shared/host/state.ts';
import { timeText } from '../../elements/text.ts';
import type { FilmViewer } from '../elements/film-viewer.ts';
import '../elements/film-viewer.ts';
import { HostElement } from '../elements/host-element.ts';
import { type Choice, noStorage, radioChips, sectionHead } from '../elements/templates.ts';
import { hostIcons } from '../icons.ts';
import { bytes, JOB_REASON_TEXTS, moment } from '../text.ts';

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

/** A film that is older than this does not show the day any more, ms. */
const RECENT = 3_600_000;

/** Section “Film of the day”. */
@customElement('film-section')
export class FilmSection extends HostElement {
  static override styles = css`
    form {
      gap: 20px;
    }
    .day {
      gap: 14px;
    }
    .day p {
      max-width: none;
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
    @media (max-width: 560px) {
      .job {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;

  @state() private kind: JobState['kind'] = 'gif';
  @state() private hours = 24;
  @state() private seconds = 20;
  @query('film-viewer') private readonly viewer!: FilmViewer | null;
  /** Id of the film that the host has chosen to look at; '': the latest. */
  @state() private chosen = '';

  private isAsking = false;
  /** The room and the period of a film that the server has refused to make. */
  private refused = '';

  protected override roomChanged(): void {
    this.chosen = '';
    this.refused = '';
  }

  protected override section({ name, width, height }: RoomSummary, all: HostState): TemplateResult {
    const jobs = all.jobs.filter(({ room }) => room === name).reverse();
    const running = jobs.some((job) => job.state === 'going');
    const shown = this.shownOf(jobs, all.now);
    const lead = msg(
      str`What happened in “${name}”, in a few seconds. It is made in the background while the rooms keep running.`,
    );
    return html`${sectionHead(msg('Film of the day'), lead)}
      ${
        all.keeping === null
          ? noStorage()
          : html`<div class="cards"><section class="card day grid" aria-label=${msg('The day')}>
              <p class="soft">${msg('Move the slider to any moment of the period below. The film for it is made while you look.')}</p>
              ${keyed(
                name,
                html`<film-viewer
                  .host=${this.host}
                  .version=${this.version}
                  .job=${shown}
                  .hours=${this.hours}
                  .size=${{ width, height }}
                  @want=${this.want}
                ></film-viewer>`,
              )}
            </section>
            <form class="card" @submit=${this.start}>
              ${radioChips(msg('Period'), HOURS, this.hours, (hours) => (this.hours = hours))}
              ${radioChips(msg('Length of the film'), SECONDS, this.seconds, (seconds) => (this.seconds = seconds))}
              ${radioChips(msg('Format'), KINDS, this.kind, (kind) => (this.kind = kind))}
              <div><button class="solid" data-testid="make-film" ?disabled=${running}>${hostIcons.film}${running ? msg('A film is being made') : msg('Make the film')}</button></div>
            </form></div>`
      }
      ${
        jobs.length > 0
          ? html`<h3 class="part">${msg('Films')}</h3>
              <div class="cards">${jobs.map((job) => this.job(job, job === shown, all))}</div>`
          : nothing
      }`;
  }

  /** The film that the slider moves through: the chosen one, or the latest of this period. */
  private shownOf(jobs: readonly JobState[], now: number): JobState | undefined {
    const isUsable = ({ state }: JobState): boolean => state === 'going' || state === 'done';
    const chosen = jobs.find((job) => job.id === this.chosen && isUsable(job));
    const isOfDay = (job: JobState): boolean =>
      job.hours === this.hours && now - job.since < RECENT;
    return chosen ?? jobs.find((job) => isUsable(job) && isOfDay(job));
  }

  private job(job: JobState, isShown: boolean, { now, zone }: HostState): TemplateResult {
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
              ? html`<button class="plain" data-testid="look-film" aria-pressed=${isShown} @click=${() => this.choose(job.id)}>${msg('Look')}</button><a class="button solid" href=${file} download=${job.file}>${hostIcons.save}${msg('Download')}</a>`
              : nothing
        }
      </div>
      ${job.state === 'going' ? html`<progress max="1" value=${job.progress} aria-label=${msg('Progress')}></progress>` : nothing}
    </article>`;
  }

  private choose(id: string): void {
    this.chosen = id;
    this.viewer?.scrollIntoView({ block: 'nearest' });
  }

  private start(event: SubmitEvent): void {
    event.preventDefault();
    void this.make();
  }

  /** A slider asks again and again, so one that has failed is made again only for a button. */
  private readonly want = ({ detail: isPressed }: CustomEvent<boolean>): void => {
    const { hours, shownRoom } = this;
    const latest = this.host.state?.jobs.filter(({ room }) => room === shownRoom).at(-1);
    const hasFailed = latest?.state === 'failed' && latest.hours === hours;
    const wouldFail = hasFailed || this.refused === `${shownRoom} ${hours}`;
    if (isPressed || !wouldFail) void this.make();
  };

  private readonly make = async (): Promise<void> => {
    // A slider that moves asks many times.
    if (this.isAsking) return;
    this.isAsking = true;
    this.chosen = '';
    const { kind, hours, seconds, shownRoom: room } = this;
    const job = await this.host.do('timelapse', { room }, { kind, seconds, hours }, () =>
      msg('The film is being made. You can leave this page in the meantime.'),
    );
    this.refused = job ? '' : `${room} ${hours}`;
    this.isAsking = false;
  };
}
