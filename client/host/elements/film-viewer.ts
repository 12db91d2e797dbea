/** A finished film, moved through with a slider: in this page, and on the room's walls. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { JobState } from '../../../shared/host/state.ts';
import type { Size } from '../../render/camera.ts';
import { Throttle } from '../../state/throttle.ts';
import { hostIcons } from '../icons.ts';
import { moment } from '../text.ts';
import { HostElement } from './host-element.ts';

/** Pictures per second. */
const SPEED = 12;
/** Least time between two calls while the slider moves, ms. */
const INTERVAL = 250;

/** Plays a film, and shows any moment of it. */
@customElement('film-viewer')
export class FilmViewer extends HostElement {
  static override styles = css`
    :host {
      display: grid;
      gap: 12px;
    }
    canvas {
      display: block;
      width: 100%;
      max-height: 24em;
      object-fit: contain;
      border-radius: 12px;
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
  `;

  @property({ attribute: false }) job!: JobState;
  /** Of the room, in cells. */
  @property({ attribute: false }) size!: Size;
  /** The picture that the slider is at. */
  @state() private frame = 0;
  @state() private isPlaying = false;
  @state() private isOnWall = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private shown = -1;
  private isLoading = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Moves the walls along with the slider. */
  private readonly toWalls = new Throttle<void>(() => void this.showOnWall(), INTERVAL);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => this.draw());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.pause();
    this.toWalls.forget();
    if (this.isOnWall) void this.leaveWall();
    this.isOnWall = false;
  }

  override render(): TemplateResult {
    const { size, frame, isPlaying, isOnWall } = this;
    const time = this.momentText();
    return html`<canvas width=${size.width} height=${size.height} role="img" aria-label=${msg(str`The room: ${time}`)}></canvas>
      <div class="bar row">
        <button
          class="icon"
          data-testid="play-film"
          aria-label=${isPlaying ? msg('Pause') : msg('Play')}
          @click=${this.togglePlaying}
        >
          ${isPlaying ? hostIcons.pause : hostIcons.go}
        </button>
        <input
          type="range"
          min="0"
          max=${this.last}
          .value=${String(frame)}
          aria-label=${msg('Moment')}
          aria-valuetext=${time}
          data-testid="film-moment"
          @input=${this.scrub}
        />
        <output class="soft number" data-testid="film-time">${time}</output>
      </div>
      <div class="row">
        <button class="plain" aria-pressed=${isOnWall} data-testid="film-on-wall" @click=${this.toggleWall}>
          ${hostIcons.walls}${isOnWall ? msg('Show the room again') : msg('Show on the walls')}
        </button>
      </div>`;
  }

  private get last(): number {
    return (this.job.frames ?? 1) - 1;
  }

  private momentText(): string {
    const { from, since } = this.job;
    const { now = 0, zone = 0 } = this.host.state ?? {};
    if (from === null) return `${this.frame + 1} / ${this.last + 1}`;
    const share = this.last === 0 ? 1 : this.frame / this.last;
    return moment(from + (since - from) * share, now, zone);
  }

  private scrub({ target }: InputEvent): void {
    this.pause();
    this.frame = (target as HTMLInputElement).valueAsNumber;
    void this.draw();
    if (this.isOnWall) this.followOnWall();
  }

  private togglePlaying(): void {
    if (this.isPlaying) this.pause();
    else this.play();
    if (this.isOnWall) void this.showOnWall();
  }

  private play(): void {
    this.isPlaying = true;
    const start = performance.now();
    const from = this.frame;
    const next = (): void => {
      const played = Math.floor(((performance.now() - start) * SPEED) / 1000);
      this.frame = (from + played) % (this.last + 1);
      void this.draw();
      this.timer = setTimeout(next, 1000 / SPEED);
    };
    next();
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.isPlaying = false;
  }

  /** Draws the picture that the slider is at; while one loads, only the latest is asked for. */
  private async draw(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      while (this.isConnected && this.shown !== this.frame) {
        const { frame } = this;
        const path = pathOf(FILES.frame, { job: this.job.id, frame });
        const response = await fetch(path);
        if (!response.ok) return;
        this.paint(new Uint8ClampedArray(await response.arrayBuffer()));
        this.shown = frame;
      }
    } catch {
      // The page says by itself that the server does not answer.
    } finally {
      this.isLoading = false;
    }
  }

  /** @param planes RGBA, premultiplied, then owners */
  private paint(planes: Uint8ClampedArray<ArrayBuffer>): void {
    const { width, height } = this.size;
    const rgba = planes.subarray(0, 4 * width * height);
    // Premultiplied colours on black are the colours themselves.
    for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255;
    this.canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }

  private toggleWall(): void {
    this.isOnWall = !this.isOnWall;
    void (this.isOnWall ? this.showOnWall() : this.leaveWall());
  }

  /** The walls follow the slider, a few times a second. */
  private followOnWall(): void {
    this.toWalls.push(undefined, performance.now());
    setTimeout(() => this.isOnWall && this.toWalls.flush(performance.now()), INTERVAL);
  }

  private async showOnWall(): Promise<void> {
    const { frame, isPlaying } = this;
    const { id, room } = this.job;
    const speed = isPlaying ? SPEED : 0;
    const done = await this.host.do('showFilm', { room }, { job: id, frame, speed });
    if (!done) this.isOnWall = false;
  }

  private async leaveWall(): Promise<void> {
    await this.host.do('showFilm', { room: this.job.room }, { job: null, frame: 0, speed: 0 });
  }
}
