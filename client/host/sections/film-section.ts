/**
 * Section “Film of the day”: timelapse films of the selected room, which the server makes in the
 * background. The host can play a film, browse it with a slider, show it on the walls, and download
 * it. The browser can also record a film as a video.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, JobState, RoomSummary } from '../../../shared/host/state.ts';
import { momentOfFrame } from '../../../shared/time-points.ts';
import { timeText } from '../../elements/text.ts';
import { record, videoFormat } from '../../keepsake/film.ts';
import { canvasOf, wait } from '../../keepsake/picture.ts';
import type { Size } from '../../render/camera.ts';
import { Throttle } from '../../state/browser-store.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

/** Pictures per second of a recorded video, the same as in the server's films. */
const RATE = 15;
/** Approximate length of a video's longer side, in pixels. */
const SIDE = 1_280;
/** Bit rate of a video, in bits per second; high enough to keep the edges of cells sharp. */
const BITRATE = 8_000_000;

/**
 * Fetches one picture of a film: premultiplied RGBA bytes, [height, width, 4], followed by the
 * owner of each cell.
 *
 * @throws Error if the picture cannot be fetched
 */
async function load(path: string): Promise<Blob> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.blob();
}

/** Draws one picture of a film. @param file the picture, in the format of `FILES.frame` */
async function drawFrame(to: CanvasRenderingContext2D, file: Blob, { width, height }: Size) {
  const rgba = new Uint8ClampedArray(await file.arrayBuffer(), 0, 4 * width * height);
  // Make all pixels opaque. As the colours are premultiplied, the picture then looks as if it were
  // drawn on black.
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255;
  to.putImageData(new ImageData(rgba, width, height), 0, 0);
}

/**
 * Records a finished film as a video. The recording takes as long as the video plays.
 *
 * @param size size of the room, in cells
 * @param onPicture called before each picture with the share recorded so far, 0 to 1; returns false
 *   to cancel the recording
 * @throws Error if a picture cannot be fetched, if the browser cannot record videos, or if the
 *   recording is cancelled
 */
function recordFilm(
  { id: job, frames }: JobState,
  size: Size,
  onPicture: (share: number) => boolean,
): Promise<Blob> {
  // Use an even scale, because some video formats require an even width and height.
  const scale = Math.max(2, 2 * Math.floor(SIDE / 2 / Math.max(size.width, size.height)));
  const cells = canvasOf(size.width, size.height);
  const { canvas, to } = canvasOf(scale * size.width, scale * size.height);
  to.imageSmoothingEnabled = false;
  const draw = async (): Promise<void> => {
    let next = load(pathOf(FILES.frame, { job, frame: 0 }));
    for (let i = 0; i < frames; i++) {
      const begun = performance.now();
      const file = await next;
      if (i + 1 < frames) next = load(pathOf(FILES.frame, { job, frame: i + 1 }));
      await drawFrame(cells.to, file, size);
      to.drawImage(cells.canvas, 0, 0, canvas.width, canvas.height);
      if (!onPicture(i / frames)) throw new Error('no longer wanted');
      await wait(Math.max(0, 1000 / RATE - (performance.now() - begun)));
    }
  };
  return record(canvas, draw, BITRATE);
}

/** Speed at which a film is played, in pictures per second. */
const SPEED = 12;
/** Minimum time between two calls that send the slider's position to the server, in ms. */
const INTERVAL = 250;

/** Number of steps of the slider while there is no film yet. */
const STEPS = 1_000;
const HOUR = 3_600_000;

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

@customElement('film-section')
export class FilmSection extends ui.HostElement {
  static override styles = css`
    canvas {
      max-height: 24em;
      background: black;
    }
    .bar {
      flex-wrap: nowrap;
    }
    input[type='range'] {
      flex: 1;
      min-width: 6em;
    }
    output {
      min-width: 9em;
      text-align: end;
    }
    .job {
      grid-template-columns: minmax(0, 1fr) auto;
      gap: 12px 20px;
    }
    @media (max-width: 560px) {
      .bar {
        flex-wrap: wrap;
      }
      input[type='range'] {
        order: 1;
        flex-basis: 100%;
      }
      output {
        flex: 1;
      }
      .job {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;

  /**
   * Settings for the next film: its file format, how many hours of the room's past it shows, and
   * its length in seconds.
   */
  @state() private kind: JobState['kind'] = 'gif';
  @state() private hours = 24;
  @state() private seconds = 20;
  /** Id of the film that the host has chosen; '' for the latest film. */
  @state() private chosen = '';
  /** Position of the slider, from 0 (beginning of the film) to 1 (end of the film). */
  @state() private share = 1;
  @state() private isPlaying = false;
  /** Whether the walls should show the same picture as this page. */
  @state() private isOnWall = false;
  /** The film that is being recorded as a video: its id, and the share recorded so far, 0 to 1. */
  @state() private recording: { readonly id: string; readonly share: number } | undefined;
  /** The film on display. */
  private film: JobState | undefined;
  /** Name of the room that the film shows. */
  private room = '';
  /** Whether the server has confirmed that the walls show a film. */
  private isUp = false;
  /** Describes the film and slider position that were last sent to the walls. */
  private sent = '';
  /** URL of the picture on the canvas. */
  private shown = '';
  private isLoading = false;
  private isAsking = false;
  /** If the last request for a film failed: the period of that film, in hours. Otherwise 0. */
  private refused = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Sends the slider's position to the walls, at a limited rate. */
  private readonly toWalls = new Throttle<void>(() => void this.showOnWall(), INTERVAL);
  @query('canvas') private readonly canvas!: HTMLCanvasElement | null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leaveFilm();
  }

  protected override roomChanged(): void {
    this.leaveFilm();
    Object.assign(this, { room: host.room, share: 1, chosen: '', refused: 0 });
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { film } = this;
    this.film = this.filmToShow();
    if (this.film?.id !== film?.id) this.pause();
    // If the walls no longer show a film, another host has stopped it or it has ended. This page
    // then no longer controls the walls.
    if (this.isUp && host.summary?.walls.showing?.what !== 'film') {
      this.isOnWall = false;
      this.isUp = false;
    }
  }

  protected override updated(): void {
    void this.draw();
    const { film, frame, isPlaying } = this;
    const position = `${film?.id} ${isPlaying ? 'playing' : frame}`;
    if (!this.isOnWall || this.made === 0 || position === this.sent) return;
    this.sent = position;
    // If `push` holds the position back to limit the rate, send the position after `INTERVAL`.
    this.toWalls.push(undefined, performance.now());
    setTimeout(() => this.isOnWall && this.toWalls.flush(performance.now()), INTERVAL);
  }

  protected override section(summary: RoomSummary, { jobs, keeping }: HostState) {
    const { name } = summary;
    const own = jobs.filter(({ room }) => room === name).reverse();
    const isRunning = own.some((job) => job.state === 'going');
    const lead = msg(
      str`Make a film of a few seconds that shows what happened in “${name}”. The film is made in the background while the rooms keep running.`,
    );
    const form = html`<section class="card grid gap-14" aria-label=${msg('The day')}>
        <p class="soft wide">${msg('Move the slider to any moment of the period below. The film of this period is made while you look.')}</p>
        <div class="grid gap-12">${this.viewer(summary)}</div>
      </section>
      <form class="card gap-20" @submit=${this.start}>
        ${ui.radioChips(msg('Period'), HOURS, this.hours, (hours) => (this.hours = hours))}
        ${ui.radioChips(msg('Length of the film'), SECONDS, this.seconds, (seconds) => (this.seconds = seconds))}
        ${ui.radioChips(msg('Format'), KINDS, this.kind, (kind) => (this.kind = kind))}
        <div><button class="solid" data-testid="make-film" ?disabled=${isRunning}>${hostIcons.film}${isRunning ? msg('A film is being made') : msg('Make the film')}</button></div>
      </form>`;
    const films = html`<h3 class="part">${msg('Films')}</h3>
      <div class="grid gap-14">${own.map((job) => this.job(job))}</div>`;
    return html`${ui.sectionHead(msg('Film of the day'), lead)}
      ${keeping === null ? ui.noStorage() : html`<div class="grid gap-14">${form}</div>`}
      ${own.length > 0 ? films : nothing}`;
  }

  private viewer({ width, height }: Size): TemplateResult {
    const { film, share, last, isPlaying, isOnWall } = this;
    const time = this.momentText();
    const percent = Math.round(100 * (film?.progress ?? 0));
    const progress = html`<p class="soft" data-testid="film-progress">${msg(str`The film is being made, earliest moments first: ${percent} %`)}</p>`;
    return html`<canvas class="picture" width=${width} height=${height} role="img" aria-label=${msg(str`The room: ${time}`)}></canvas>
      <div class="bar row">
        <button class="icon" data-testid="play-film" aria-label=${isPlaying ? msg('Pause') : msg('Play')} @click=${this.togglePlaying}>
          ${isPlaying ? hostIcons.pause : hostIcons.go}
        </button>
        <input type="range" data-testid="film-moment" min="0" max=${last} .value=${String(Math.round(share * last))}
          aria-label=${msg('Moment')} aria-valuetext=${time} @input=${this.scrub} />
        <output class="soft number" data-testid="film-time">${time}</output>
      </div>
      ${film?.state === 'going' ? progress : nothing}
      <div class="row">
        <button class="plain" data-testid="film-on-wall" @click=${this.toggleWall}>
          ${hostIcons.walls}${isOnWall ? msg('Show the room again') : msg('Show on the walls')}
        </button>
      </div>`;
  }

  /**
   * Returns the film that the host has chosen. If there is none, returns the latest film that has
   * the selected period and was started within the last hour.
   */
  private filmToShow(): JobState | undefined {
    const { jobs = [], now = 0 } = host.state ?? {};
    const usable = jobs
      .filter(({ room, state }) => room === this.room && ['going', 'done'].includes(state))
      .reverse();
    const isRecent = (job: JobState) => job.hours === this.hours && now - job.since < HOUR;
    return usable.find(({ id }) => id === this.chosen) ?? usable.find(isRecent);
  }

  /** Index of the last picture that the film will have when it is complete. */
  private get last(): number {
    return (this.film?.total ?? STEPS + 1) - 1;
  }

  /** Number of pictures of the film that have been made so far. */
  private get made(): number {
    return this.film?.frames ?? 0;
  }

  /**
   * Index of the picture at the slider's position. If the server has not made this picture yet,
   * index of the latest picture.
   */
  private get frame(): number {
    return Math.max(0, Math.min(this.made - 1, Math.round(this.share * this.last)));
  }

  private momentText(): string {
    const { film, share, last, hours } = this;
    const until = film?.since ?? host.state?.now ?? 0;
    const period = film && this.made > 0 ? film : { from: until - hours * HOUR };
    const frame = Math.round(share * last);
    const at = momentOfFrame({ ...period, until, frames: last + 1 }, frame);
    return at === null ? `${frame + 1} / ${last + 1}` : host.moment(at);
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

  /** Stops the film on this page and on the walls. */
  private leaveFilm(): void {
    this.pause();
    this.toWalls.forget();
    if (this.isOnWall) this.toggleWall();
  }

  /**
   * Draws the picture at the slider's position or, if there is no film, the room's current state.
   * Loads one picture at a time, and skips pictures that the slider has already passed.
   */
  private async draw(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      while (this.isConnected && this.canvas && this.shown !== this.wanted) {
        const { wanted, canvas, made } = this;
        const file = await load(wanted);
        const to = canvas.getContext('2d')!;
        const { width, height } = canvas;
        if (made > 0) await drawFrame(to, file, { width, height });
        else {
          to.clearRect(0, 0, width, height);
          to.drawImage(await createImageBitmap(file), 0, 0);
        }
        this.shown = wanted;
      }
    } catch {
      // Ignore the failure: the page already shows that the server does not answer.
    } finally {
      this.isLoading = false;
    }
  }

  private get wanted(): string {
    const { film, frame, room } = this;
    if (film && this.made > 0) return pathOf(FILES.frame, { job: film.id, frame });
    return pathOf(FILES.picture, { room });
  }

  private toggleWall(): void {
    this.isOnWall = !this.isOnWall;
    this.sent = '';
    if (this.isOnWall) this.want(true);
    else if (this.isUp) void this.leaveWall();
  }

  private async showOnWall(): Promise<void> {
    const { film, frame, room, isPlaying } = this;
    if (!film) return;
    const speed = isPlaying ? SPEED : 0;
    this.isUp = !!(await host.do('showFilm', { room, job: film.id, frame, speed }));
    if (!this.isUp) this.isOnWall = false;
    // During the call, the host may have switched the film off or left the section. If so, make the
    // walls show the room again.
    else if (!this.isOnWall) await this.leaveWall(room);
  }

  private async leaveWall(room = this.room): Promise<void> {
    this.isUp = false;
    await host.do('showRoom', { room });
  }

  private job(job: JobState): TemplateResult {
    const { id, kind, state, error, since, from, progress, file } = job;
    const percent = Math.round(100 * progress);
    const size = job.bytes === null ? '' : `, ${texts.bytes(job.bytes)}`;
    const buttons: Partial<Record<JobState['state'], () => TemplateResult>> = {
      going: () => html`<span class="number" role="status">${percent} %</span>
        <button class="plain" @click=${() => host.do('stopJob', { job: id })}>${msg('Stop')}</button>`,
      done: () => html`<button class="plain" data-testid="look-film" aria-pressed=${id === this.film?.id} @click=${() => this.choose(id)}>${msg('Look')}</button>
        ${videoFormat ? this.videoButton(job, videoFormat) : nothing}
        <a class="button solid" href=${pathOf(FILES.job, { job: id })} download=${file}>${hostIcons.save}${msg('Download')}</a>`,
    };
    const bar = html`<div class="strip whole" role="progressbar" aria-valuenow=${percent} aria-label=${msg('Progress')}>
      <i style="--from:0%;--to:${percent}%"></i>
    </div>`;
    const failure = html`<span class="wrong">${texts.JOB_REASON_TEXTS[error ?? 'failed']}</span>`;
    const begins = (from: number) =>
      html`<p class="soft" data-testid="film-begins">${msg(str`From ${host.moment(from)}`)}</p>`;
    return html`<article class="card job grid centre" aria-label=${file} data-testid="job">
      <div>
        <h3>${kind === 'gif' ? msg('Film') : msg('Images')}</h3>
        <p class="soft">${state === 'failed' ? failure : html`${host.moment(since)}${size}${state === 'stopped' ? msg(', stopped') : ''}`}</p>
        ${from === null || state === 'failed' ? nothing : begins(from)}
      </div>
      <div class="row">${buttons[state]?.()}</div>
      ${state === 'going' ? bar : nothing}
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
      // Free the URL after a minute. By then, the browser has started the download and no longer
      // needs the URL.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      if (this.isConnected) host.show({ text: texts.REASON_TEXTS.failed, wrong: true });
    }
    this.recording = undefined;
  }

  private choose(id: string): void {
    this.chosen = id;
    this.canvas?.scrollIntoView({ block: 'nearest' });
  }

  private start(event: SubmitEvent): void {
    event.preventDefault();
    void this.make();
  }

  /**
   * Requests a film if there is none to show. After a failure, the film is requested again only if
   * the host presses a button.
   *
   * @param isPressed whether the host has pressed a button
   */
  private want(isPressed: boolean): void {
    const { film, room, hours } = this;
    const latest = host.state?.jobs.filter((job) => job.room === room).at(-1);
    const hasFailed = latest?.state === 'failed' && latest.hours === hours;
    if (!film && (isPressed || !(hasFailed || this.refused === hours))) void this.make();
  }

  private async make(): Promise<void> {
    // While there is no film, each move of the slider requests one. Ignore further requests until
    // the server has answered.
    if (this.isAsking) return;
    this.isAsking = true;
    this.chosen = '';
    const { kind, hours, seconds, room } = this;
    const done = msg('The film is being made. You can leave this page in the meantime.');
    const job = await host.do('timelapse', { room, kind, seconds, hours }, { done });
    if (room === this.room) this.refused = job ? 0 : hours;
    this.isAsking = false;
  }
}
