/**
 * Timelapse films of the selected room. They are made in the background, played or browsed with a
 * slider here and on the walls, and downloaded.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, JobState, RoomSummary } from '../../../shared/host/state.ts';
import { momentOfFrame } from '../../../shared/time-points.ts';
import { timeText } from '../../elements/text.ts';
import { videoFormat } from '../../keepsake/film.ts';
import type { Size } from '../../render/camera.ts';
import { Throttle } from '../../state/browser-store.ts';
import * as ui from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { bytes, JOB_REASON_TEXTS, REASON_TEXTS } from '../text.ts';
import { drawPlanes, recordFilm } from './film-video.ts';

/** Speed at which a film is played, in pictures per second. */
const SPEED = 12;
/** Minimum time between two calls while the slider moves, in ms. */
const INTERVAL = 250;

/** Number of steps of the slider if there is no film. */
const STEPS = 1_000;
const HOUR = 3_600_000;

/**
 * Plays a film and shows any moment of it. If there is no film, fires `want`. Its `detail` is true
 * if the host has pressed a button, and false if the host has moved the slider.
 */
@customElement('film-viewer')
export class FilmViewer extends ui.HostElement {
  static override styles = css`
    :host {
      display: grid;
      gap: 12px;
    }
    .picture {
      max-height: 24em;
      background: black;
    }
    .bar {
      flex-wrap: nowrap;
    }
    input {
      flex: 1;
      min-width: 6em;
    }
    output {
      min-width: 9em;
      text-align: end;
    }
    @media (max-width: 560px) {
      .bar {
        flex-wrap: wrap;
      }
      input {
        order: 1;
        flex-basis: 100%;
      }
      output {
        flex: 1;
      }
    }
  `;

  /** The film; undefined if there is none. */
  @property({ attribute: false }) job: JobState | undefined;
  /** Length of the period that a new film would show, in hours. */
  @property({ attribute: false }) hours = 24;
  /** Size of the room, in cells. */
  @property({ attribute: false }) size!: Size;
  /** Position of the slider, from 0 (the film's beginning) to 1 (its end). */
  @state() private share = 1;
  @state() private isPlaying = false;
  /** Whether the walls should show the same picture as this page. */
  @state() private isOnWall = false;
  /** Whether the server has confirmed that the walls show a film. */
  private isUp = false;
  /** The last state of the slider sent to the walls. */
  private sent = '';
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  /** The room whose films this element shows. */
  private readonly room = host.room;
  /** Address of the picture on the canvas. */
  private shown = '';
  private isLoading = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Sends the slider's position to the walls, at a limited rate. */
  private readonly toWalls = new Throttle<void>(() => void this.showOnWall(), INTERVAL);

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.pause();
    this.toWalls.forget();
    if (this.isOnWall) this.toggleWall();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('job') && this.job?.id !== changed.get('job')?.id) this.pause();
    // If the film on the walls has ended by itself, or another host has ended it, the page no
    // longer controls the walls.
    if (this.isUp && host.summary?.walls.showing?.what !== 'film') {
      this.isOnWall = false;
      this.isUp = false;
    }
  }

  protected override updated(): void {
    void this.draw();
    const { job, frame, isPlaying } = this;
    const position = `${job?.id} ${isPlaying ? 'playing' : frame}`;
    if (!this.isOnWall || this.made === 0 || position === this.sent) return;
    this.sent = position;
    // The throttle limits these calls to one per `INTERVAL`.
    this.toWalls.push(undefined, performance.now());
    setTimeout(() => this.isOnWall && this.toWalls.flush(performance.now()), INTERVAL);
  }

  override render(): TemplateResult {
    const { size, job, share, last, isPlaying, isOnWall } = this;
    const time = this.momentText();
    const percent = Math.round(100 * (job?.progress ?? 0));
    return html`<canvas class="picture" width=${size.width} height=${size.height} role="img" aria-label=${msg(str`The room: ${time}`)}></canvas>
      <div class="bar row">
        <button class="icon" data-testid="play-film" aria-label=${isPlaying ? msg('Pause') : msg('Play')} @click=${this.togglePlaying}>
          ${isPlaying ? hostIcons.pause : hostIcons.go}
        </button>
        <input type="range" data-testid="film-moment" min="0" max=${last} .value=${String(Math.round(share * last))}
          aria-label=${msg('Moment')} aria-valuetext=${time} @input=${this.scrub} />
        <output class="soft number" data-testid="film-time">${time}</output>
      </div>
      ${
        job?.state === 'going'
          ? html`<p class="soft" data-testid="film-progress">${msg(str`The film is being made, from the beginning: ${percent} %`)}</p>`
          : nothing
      }
      <div class="row">
        <button class="plain" data-testid="film-on-wall" @click=${this.toggleWall}>
          ${hostIcons.walls}${isOnWall ? msg('Show the room again') : msg('Show on the walls')}
        </button>
      </div>`;
  }

  /** Index of the last picture of the complete film. */
  private get last(): number {
    return (this.job?.total ?? STEPS + 1) - 1;
  }

  /** Number of pictures that can be shown. */
  private get made(): number {
    return this.job?.frames ?? 0;
  }

  /** Index of the picture at the slider, or of the last picture made so far. */
  private get frame(): number {
    return Math.max(0, Math.min(this.made - 1, Math.round(this.share * this.last)));
  }

  private momentText(): string {
    const { job, share, last, hours } = this;
    const until = job?.since ?? host.state?.now ?? 0;
    const film =
      job && this.made > 0 ? { from: job.from, times: job.times } : { from: until - hours * HOUR };
    const frame = Math.round(share * last);
    const at = momentOfFrame({ ...film, until, frames: last + 1 }, frame);
    return at === null ? `${frame + 1} / ${last + 1}` : host.moment(at);
  }

  /**
   * Requests a film if there is none.
   *
   * @param isPressed whether the host pressed a button for it
   */
  private want(isPressed: boolean): void {
    if (!this.job) this.emit('want', isPressed);
  }

  private scrub({ target }: InputEvent): void {
    this.pause();
    this.share = (target as HTMLInputElement).valueAsNumber / this.last;
    this.want(false);
  }

  private togglePlaying(): void {
    this.want(true);
    if (this.isPlaying) this.pause();
    else this.play();
  }

  private play(): void {
    this.isPlaying = true;
    const start = performance.now();
    const from = this.share < 1 ? Math.round(this.share * this.last) : 0;
    const next = (): void => {
      const played = Math.floor(((performance.now() - start) * SPEED) / 1000);
      if (this.made > 0) this.share = ((from + played) % this.made) / Math.max(1, this.last);
      this.timer = setTimeout(next, 1000 / SPEED);
    };
    next();
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.isPlaying = false;
  }

  /**
   * Draws the picture at the slider. While a picture loads, only the latest position is remembered.
   */
  private async draw(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      while (this.isConnected && this.shown !== this.wanted) {
        const { wanted } = this;
        const response = await fetch(wanted);
        if (!response.ok) return;
        const context = this.canvas.getContext('2d')!;
        if (this.made > 0) {
          const planes = new Uint8ClampedArray(await response.arrayBuffer());
          drawPlanes(context, planes, this.size);
        } else await this.paintRoom(await response.blob());
        this.shown = wanted;
      }
    } catch {
      // Ignore the failure, because the page already says that the server does not answer.
    } finally {
      this.isLoading = false;
    }
  }

  /**
   * The address of the picture to show: a picture of the film or, without a film, of the room's
   * current state.
   */
  private get wanted(): string {
    const { job, frame } = this;
    if (job && this.made > 0) return pathOf(FILES.frame, { job: job.id, frame });
    return pathOf(FILES.picture, { room: this.room });
  }

  private async paintRoom(picture: Blob): Promise<void> {
    const { width, height } = this.size;
    const context = this.canvas.getContext('2d');
    context?.clearRect(0, 0, width, height);
    context?.drawImage(await createImageBitmap(picture), 0, 0);
  }

  private toggleWall(): void {
    this.isOnWall = !this.isOnWall;
    this.sent = '';
    if (this.isOnWall) this.want(true);
    else if (this.isUp) void this.leaveWall();
  }

  private async showOnWall(): Promise<void> {
    const { job, frame, room, isPlaying } = this;
    if (!job) return;
    const speed = isPlaying ? SPEED : 0;
    this.isUp = !!(await host.do('showFilm', { room, job: job.id, frame, speed }));
    if (!this.isUp) this.isOnWall = false;
    // If the host has changed their mind or left the section during the call, show the room on the
    // walls again.
    else if (!this.isOnWall) await this.leaveWall();
  }

  private async leaveWall(): Promise<void> {
    this.isUp = false;
    await host.do('showRoom', { room: this.room });
  }
}

function progressBar(share: number): TemplateResult {
  const percent = Math.round(100 * share);
  return html`<div class="strip whole" role="progressbar" aria-valuenow=${percent} aria-label=${msg('Progress')}>
    <i style="--from:0%;--to:${percent}%"></i>
  </div>`;
}

const HOURS = [
  { value: 1, name: msg('The last hour') },
  { value: 8, name: msg('The last 8 hours') },
  { value: 24, name: msg('The last 24 hours') },
];
const SECONDS = ui.choicesOf([10, 20, 40, 60], (value) => timeText(value, 'second'));
const KINDS: readonly ui.Choice<JobState['kind']>[] = [
  { value: 'gif', name: msg('A film (GIF)') },
  { value: 'png', name: msg('Separate images (PNG)') },
];

/** Maximum age of a film that the slider browses although the host has not chosen it, in ms. */
const RECENT = 3_600_000;

@customElement('film-section')
export class FilmSection extends ui.HostElement {
  static override styles = css`
    .job {
      grid-template-columns: minmax(0, 1fr) auto;
      gap: 12px 20px;
      align-items: center;
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
  /** Id of the film that the host has chosen; '' for the latest. */
  @state() private chosen = '';
  /** The film that is being recorded as a video, and the recorded share of it, 0…1. */
  @state() private recording: { readonly id: string; readonly share: number } | undefined;

  private isAsking = false;
  /** The room and the period of a film that the server has refused to make. */
  private refused = '';

  protected override roomChanged(): void {
    this.chosen = '';
    this.refused = '';
  }

  protected override section(summary: RoomSummary, { jobs: all, now, keeping }: HostState) {
    const { name, width, height } = summary;
    const jobs = all.filter(({ room }) => room === name).reverse();
    const isRunning = jobs.some((job) => job.state === 'going');
    const shown = this.shownOf(jobs, now);
    const lead = msg(
      str`What happened in “${name}”, in a few seconds. It is made in the background while the rooms keep running.`,
    );
    const viewer = html`<film-viewer .job=${shown} .hours=${this.hours} .size=${{ width, height }} @want=${this.want}></film-viewer>`;
    const form = html`<section class="card grid gap-14" aria-label=${msg('The day')}>
        <p class="soft wide">${msg('Move the slider to any moment of the period below. Its film is made while you look.')}</p>
        ${keyed(name, viewer)}
      </section>
      <form class="card gap-20" @submit=${this.start}>
        ${ui.radioChips(msg('Period'), HOURS, this.hours, (hours) => (this.hours = hours))}
        ${ui.radioChips(msg('Length of the film'), SECONDS, this.seconds, (seconds) => (this.seconds = seconds))}
        ${ui.radioChips(msg('Format'), KINDS, this.kind, (kind) => (this.kind = kind))}
        <div><button class="solid" data-testid="make-film" ?disabled=${isRunning}>${hostIcons.film}${isRunning ? msg('A film is being made') : msg('Make the film')}</button></div>
      </form>`;
    return html`${ui.sectionHead(msg('Film of the day'), lead)}
      ${keeping === null ? ui.noStorage() : html`<div class="grid gap-14">${form}</div>`}
      ${
        jobs.length > 0
          ? html`<h3 class="part">${msg('Films')}</h3>
              <div class="grid gap-14">${jobs.map((job) => this.job(job, job === shown))}</div>`
          : nothing
      }`;
  }

  /**
   * Returns the film that the slider browses: the chosen film or, if none is chosen, the latest
   * film of the selected period.
   */
  private shownOf(jobs: readonly JobState[], now: number): JobState | undefined {
    const isUsable = ({ state }: JobState): boolean => state === 'going' || state === 'done';
    const chosen = jobs.find((job) => job.id === this.chosen && isUsable(job));
    const isOfDay = (job: JobState): boolean =>
      job.hours === this.hours && now - job.since < RECENT;
    return chosen ?? jobs.find((job) => isUsable(job) && isOfDay(job));
  }

  private job(job: JobState, isShown: boolean): TemplateResult {
    const { id, kind, state, error, since, from, progress, file } = job;
    const size = job.bytes === null ? '' : `, ${bytes(job.bytes)}`;
    const buttons = {
      going: () => html`<span class="number" role="status">${Math.round(100 * progress)} %</span>
        <button class="plain" @click=${() => host.do('stopJob', { job: id })}>${msg('Stop')}</button>`,
      done: () => html`<button class="plain" data-testid="look-film" aria-pressed=${isShown} @click=${() => this.choose(id)}>${msg('Look')}</button>
        ${videoFormat ? this.videoButton(job, videoFormat) : nothing}
        <a class="button solid" href=${pathOf(FILES.job, { job: id })} download=${file}>${hostIcons.save}${msg('Download')}</a>`,
      failed: () => nothing,
      stopped: () => nothing,
    };
    return html`<article class="card job grid" aria-label=${file} data-testid="job">
      <div>
        <h3>${kind === 'gif' ? msg('Film') : msg('Images')}</h3>
        <p class="soft">${
          state === 'failed'
            ? html`<span class="wrong">${JOB_REASON_TEXTS[error ?? 'failed']}</span>`
            : html`${host.moment(since)}${size}${state === 'stopped' ? msg(', stopped') : ''}`
        }</p>
        ${
          from === null || state === 'failed'
            ? nothing
            : html`<p class="soft" data-testid="film-begins">${msg(str`From ${host.moment(from)}`)}</p>`
        }
      </div>
      <div class="row">${buttons[state]()}</div>
      ${state === 'going' ? progressBar(progress) : nothing}
    </article>`;
  }

  private videoButton(job: JobState, format: string): TemplateResult {
    const percent = Math.round(100 * (this.recording?.share ?? 0));
    return html`<button class="plain" data-testid="save-video" ?disabled=${this.recording !== undefined} @click=${() => this.saveVideo(job, format)}>
      ${this.recording?.id === job.id ? msg(str`Recording: ${percent} %`) : msg(str`Save as ${format.toUpperCase()}`)}
    </button>`;
  }

  private async saveVideo(job: JobState, format: string): Promise<void> {
    const { id, file } = job;
    host.show({ text: msg('Keep this page in front until the whole film has played.') });
    try {
      const video = await recordFilm(job, host.summary!, (share) => {
        this.recording = { id, share };
        return this.isConnected;
      });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(video);
      link.download = file.replace(/\.\w+$/, `.${format}`);
      link.click();
      // The download has its own reference by then.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      if (this.isConnected) host.show({ text: REASON_TEXTS.failed, wrong: true });
    }
    this.recording = undefined;
  }

  private choose(id: string): void {
    this.chosen = id;
    this.viewer?.scrollIntoView({ block: 'nearest' });
  }

  private start(event: SubmitEvent): void {
    event.preventDefault();
    void this.make();
  }

  /**
   * Requests a film. A moving slider fires `want` repeatedly, so after a refusal or a failure only
   * the button requests the film again.
   */
  private readonly want = ({ detail: isPressed }: CustomEvent<boolean>): void => {
    const { hours } = this;
    const { room } = host;
    const latest = host.state?.jobs.filter((job) => job.room === room).at(-1);
    const hasFailed = latest?.state === 'failed' && latest.hours === hours;
    const wouldFail = hasFailed || this.refused === `${room} ${hours}`;
    if (isPressed || !wouldFail) void this.make();
  };

  private readonly make = async (): Promise<void> => {
    // A moving slider requests the film many times, so ignore further requests during the call.
    if (this.isAsking) return;
    this.isAsking = true;
    this.chosen = '';
    const { kind, hours, seconds } = this;
    const { room } = host;
    const done = msg('The film is being made. You can leave this page in the meantime.');
    const job = await host.do('timelapse', { kind, seconds, hours }, { done });
    this.refused = job ? '' : `${room} ${hours}`;
    this.isAsking = false;
  };
}
