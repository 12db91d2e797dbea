/**
 * Dialog with an organism's keepsake: a picture, a film of its growth, and a link that plants it
 * again.
 */

import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { GARDENER_NAME, OSC_NAME } from '../../../shared/names.ts';
import type { PaintedGenomes } from '../../../shared/painter/genome-map.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { unpackGenomes } from '../../../shared/protocol/genomes.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { capitalized, organismName, planterText, survivedText } from '../../elements/text.ts';
import { drawFilm, gifOf, recordVideo, videoFormat } from '../../keepsake/film.ts';
import {
  canvasOf,
  type DrawBody,
  enlargedBody,
  framesOf,
  paintedBody,
  specimenCard,
} from '../../keepsake/picture.ts';
import { formats } from '../../locale/locale.ts';
import { fetchPainter } from '../../room/fetch-painter.ts';
import { quiet, SheetElement } from '../elements/page-element.ts';
import { portraitOf } from './portraits.ts';

export const keepsakeSheetStyle = css`
  .panel {
    /* Unit of width: the picture is 4 × 5 units, the film beside it 5 × 5 units. */
    --ninth: min((100dvw - 60px) / 9, (100dvh - 236px) / 5, 4.8em);
    width: fit-content;
    max-width: calc(100dvw - 16px);
    padding: 6px 6px 16px;
    padding-inline-start: 20px;
    border-radius: 24px;
    background: oklch(0.2 0.012 225);
    user-select: text;
    -webkit-user-select: text;
  }
  dialog[open] {
    gap: 4px;
  }
  header {
    padding: 0;
  }
  h2 {
    margin-inline-start: 2px;
    overflow-wrap: anywhere;
  }
  .all {
    padding-inline-end: 14px;
  }
  .two {
    justify-content: center;
    gap: 14px;
  }
  .picture {
    width: calc(4 * var(--ninth));
  }
  .film {
    width: calc(5 * var(--ninth));
  }
  figure {
    grid-template-rows: 1fr auto;
    gap: 12px;
  }
  img,
  .blank {
    display: block;
    width: 100%;
    border-radius: 14px;
    background: oklch(0.15 0.01 220);
    -webkit-touch-callout: default;
  }
  .picture .blank {
    aspect-ratio: 4 / 5;
  }
  .film .blank {
    aspect-ratio: 1;
  }
  .blank {
    animation: pulse 1.6s ease-in-out infinite;
  }
  a.solid {
    text-decoration: none;
  }
  .link {
    flex-wrap: wrap;
    gap: 4px 10px;
    margin-top: 16px;
    padding-top: 12px;
    border-top: 1px solid var(--line);
  }
  .link p {
    flex: 1 1 12em;
    text-wrap: balance;
  }
  .link button {
    flex: none;
  }
  .link .solid {
    background: var(--raised);
    color: inherit;
    text-align: center;
  }
  @media (max-width: 720px) {
    .panel {
      --ninth: min((100dvw - 60px) / 9, max(100dvh - 236px, 45dvh) / 5);
      padding: 4px 4px 12px;
      padding-inline-start: 14px;
      margin-bottom: 8px;
    }
    .all {
      padding-inline-end: 10px;
    }
    .two {
      gap: 10px;
    }
    .solid {
      padding-inline: 0.8em;
    }
    .link p {
      flex-basis: 100%;
    }
  }
  /* In a narrow window, the film is below the picture. */
  @media (max-width: 299px) {
    .panel {
      --ninth: min((100dvw - 60px) / 5, 60dvh / 5);
    }
  }
  /* In landscape, the text is beside the picture and the film. */
  @media (min-aspect-ratio: 11/10) and (max-height: 600px) {
    .panel {
      --ninth: min((100dvw - 236px) / 9, max(100dvh - 96px, 80px) / 5);
      margin-bottom: auto;
    }
    dialog[open] {
      grid-template: auto minmax(0, 1fr) / minmax(0, auto) minmax(84px, 12.5em);
      padding: 8px;
    }
    .all {
      display: contents;
    }
    header {
      grid-area: 1 / 2;
    }
    .two {
      grid-area: 1 / 1 / 3;
      align-content: start;
      gap: 10px;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .link {
      flex-flow: column;
      align-items: stretch;
      margin: 0;
      padding: 4px 4px 0;
      padding-inline-start: 6px;
      border: 0;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .link p {
      flex: none;
      margin-bottom: auto;
    }
    .link button {
      background: var(--raised);
    }
  }
`;

/**
 * Time limit for loading the painter (the neural net that draws organisms in detail), and for
 * receiving the organism's genomes. In ms.
 */
const PATIENCE = 5_000;
/**
 * If the server is too busy to send the film, the request is repeated up to `RETRIES` times, each
 * time after `RETRY_DELAY` ms.
 */
const RETRY_DELAY = 1_200;
const RETRIES = 6;

interface Made {
  readonly file: File;
  readonly url: string;
}

/**
 * Dialog with an organism's keepsake. Fires `close` when it closes; if the server has refused the
 * keepsake, `detail` is the reason.
 */
@customElement('keepsake-sheet')
export class KeepsakeSheet extends SheetElement {
  static override styles = keepsakeSheetStyle;

  /** The organism as it was when the sheet was opened. */
  @property({ attribute: false }) organism!: OrganismView;
  @property({ attribute: false }) live = false;
  @state() private link = '';
  @state() private picture: Made | undefined;
  @state() private film: Made | 'none' | undefined;
  @state() private video: Made | 'none' | undefined = videoFormat ? undefined : 'none';
  /** The film to show. If the visitor prefers reduced motion, it has only the last picture. */
  @state() private shown: Made | undefined;
  @state() private copied = false;
  /** Whether drawing the film has begun. It begins when the server has sent the film's pictures. */
  private isDrawing = false;
  private failed: Reason | undefined;
  private drawBody!: Promise<DrawBody>;
  /** Stops drawing the picture and the film when the sheet closes. */
  private readonly left = new AbortController();
  /** The organism's cells as they were when the sheet was opened. */
  private cells!: HTMLCanvasElement;

  override firstUpdated(): void {
    this.show();
    this.untilGone(() => this.left.abort());
    const { side } = this.organism;
    const { canvas, to } = canvasOf(side, side);
    const cells = portraitOf(this.organism, this.session.model.planes!);
    to.putImageData(new ImageData(cells, side, side), 0, 0);
    this.cells = canvas;
    this.drawBody = this.openPainter();
    this.requestMissing();
  }

  protected override updated(changed: PropertyValues): void {
    // After a reconnection, repeat the requests that have not been answered.
    if (changed.get('live') === false && this.live) this.requestMissing();
  }

  private requestMissing(): void {
    if (this.link !== '') {
      if (!this.isDrawing) this.requestFilm(RETRIES);
      return;
    }
    const { id: organism } = this.organism;
    const accepted = ({ token, page = `${location.origin}/keep` }: Event<'accepted'>): void => {
      this.link = `${page}#${token}/${this.session.roomName}`;
      this.makePicture().catch((error: unknown) => {
        if (this.isConnected) throw error;
      });
      this.requestFilm(RETRIES);
    };
    const rejected = (reason: Reason): void => {
      this.failed = reason;
      this.close();
    };
    this.session.requests.ask('keep', { organism }, { accepted, rejected });
  }

  override render(): TemplateResult {
    const { picture, film, shown, video, link } = this;
    const title = msg(str`Take home: ${this.heading}`);
    const content = html`<div class="all scroll"><div class="two wrap">
        <figure class="picture middle">
          ${
            picture
              ? html`<img src=${picture.url} alt=${msg('Its picture, with a code')} />`
              : html`<span class="blank middle soft"></span>`
          }
          ${this.save('save-picture', msg('Save picture'), picture)}
        </figure>
        ${
          film === 'none'
            ? nothing
            : html`<figure class="film middle">
                ${
                  shown
                    ? html`<img src=${shown.url} alt=${msg('A film of how it grows')} />`
                    : html`<span class="blank middle soft">${msg('growing it again …')}</span>`
                }
                ${this.save('save-film', msg('Save film'), film)}
              </figure>`
        }
      </div>
      <div class="link flex">
        <p class="soft">${msg('Scan the code, or open the link, and the creature grows again in your own browser.')}</p>
        ${
          video === 'none'
            ? nothing
            : this.save('save-video', msg(str`Save film as ${videoFormat!.toUpperCase()}`), video)
        }
        ${this.shareButton()}
        <button
          class="quiet"
          data-testid="copy-link"
          data-link=${link}
          ?disabled=${link === ''}
          @click=${this.copy}
        >
          ${this.copied ? msg('Copied') : msg('Copy link')}
        </button>
      </div></div>`;
    return this.frame('keepsake', title, content);
  }

  protected override closed(): void {
    this.dispatchEvent(new CustomEvent('close', { detail: this.failed }));
  }

  /** Renders a download link or, until the file is made, a disabled button. */
  private save(id: string, label: string, made: Made | undefined): TemplateResult {
    return made
      ? html`<a class="solid" data-testid=${id} href=${made.url} download=${made.file.name}>${label}</a>`
      : html`<button class="solid" disabled>${label}</button>`;
  }

  /**
   * Renders a button that shares the link and, if the device can share files, the picture and film.
   */
  private shareButton(): TemplateResult | typeof nothing {
    const { picture, film, link: url } = this;
    // Browsers allow sharing only on pages loaded over https.
    if (typeof navigator.share !== 'function') return nothing;
    const share = (): void => {
      const files = [picture, film].flatMap((made) => (made && made !== 'none' ? made.file : []));
      // Ignore rejections: the promise is also rejected if the visitor cancels sharing.
      navigator
        .share(navigator.canShare?.({ files }) ? { files, url } : { url })
        .catch(() => undefined);
    };
    return quiet('share', msg('Share'), share, !picture);
  }

  /**
   * Fetches the painter (the neural net that draws organisms in detail). Returns a function that
   * draws with the painter; without a painter, the function only enlarges the cells.
   */
  private async openPainter(): Promise<DrawBody> {
    const url = this.session.model.checkpoint?.painter;
    // In Safari 15, which lacks `AbortSignal.timeout`, there is no time limit.
    const limit = AbortSignal.timeout?.(PATIENCE);
    const net = url && (await fetchPainter(url, limit).catch(() => undefined));
    if (!net) return enlargedBody;
    const genomes = net.learned && (await this.genomes());
    return paintedBody({ net, genomes }, this.left.signal);
  }

  /** Requests the organism's genomes; returns undefined if they do not arrive in time. */
  private genomes(): Promise<PaintedGenomes | undefined> {
    const { model } = this.session;
    const { id } = this.organism;
    return new Promise((resolve) => {
      const off = model.on('genomes', ({ genomes }) => {
        const found = genomes.find((one) => one.id === id);
        if (found) resolve(unpackGenomes(found));
      });
      setTimeout(() => [off(), resolve(undefined)], PATIENCE);
      model.askGenomes([id]);
    });
  }

  private async makePicture(): Promise<void> {
    const { organism } = this;
    const { name: planter } = organism.planter;
    const isAutomatic = planter === GARDENER_NAME || planter === OSC_NAME;
    const grower = isAutomatic
      ? planterText(organism, this.session.model)
      : planter && msg(str`grown by ${planter}`);
    const day = new Intl.DateTimeFormat(formats(), { dateStyle: 'long' }).format(new Date());
    const lines = [
      grower,
      // Isolate the room's name. Otherwise, in right-to-left text, the digits of the day would be
      // displayed as if they belonged to the name.
      `\u2068${this.session.roomName}\u2069, ${day}`,
      organism.healed > 0 ? survivedText(organism) : '',
    ];
    const words = { title: this.heading, lines: lines.filter(Boolean) };
    const blob = await specimenCard(this.cells, words, this.link, await this.drawBody);
    if (this.isConnected) this.picture = this.made(blob, 'png');
  }

  private get heading(): string {
    return capitalized(organismName(this.organism));
  }

  /** Makes a named file of a blob, with a URL that is valid until the sheet closes. */
  private made(blob: Blob, extension: string): Made {
    const words = `${organismName(this.organism)} ${this.session.roomName}`;
    const name = words.toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-');
    const file = new File([blob], `${name}.${extension}`, { type: blob.type });
    const url = URL.createObjectURL(file);
    this.left.signal.addEventListener('abort', () => URL.revokeObjectURL(url));
    return { file, url };
  }

  private requestFilm(retries: number): void {
    const seed = { from: 'organism', organism: this.organism.id } as const;
    const rejected = (reason: Reason): void => {
      if (!this.isConnected) return;
      if (retries === 0 || (reason !== 'room-busy' && reason !== 'too-fast')) this.film = 'none';
      else setTimeout(() => this.isConnected && this.requestFilm(retries - 1), RETRY_DELAY);
    };
    const accepted = ({ film }: Event<'accepted'>) => film && this.makeFilm(film);
    this.session.requests.ask('preview', { seed }, { accepted, rejected });
  }

  private async makeFilm({ png, frames }: NonNullable<Event<'accepted'>['film']>): Promise<void> {
    const { signal } = this.left;
    this.isDrawing = true;
    try {
      const strip = new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' });
      const cells = await framesOf(strip, frames);
      const film = await drawFilm(cells, this.heading, await this.drawBody, signal);
      const gif = await gifOf(film, this.link, signal);
      const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      const still = { ...film, pictures: film.pictures.slice(-1) };
      const shown = calm ? await gifOf(still, this.link, signal) : gif;
      if (!this.isConnected) return;
      this.film = this.made(gif, 'gif');
      this.shown = shown === gif ? this.film : this.made(shown, 'gif');
      if (this.video) return;
      const video = await recordVideo(film, this.link);
      if (this.isConnected) this.video = this.made(video, videoFormat!);
    } catch {
      this.film ??= 'none';
      this.video = 'none';
    }
  }

  private copy({ currentTarget }: MouseEvent): void {
    // Use the deprecated `execCommand`, because `navigator.clipboard` is missing on pages loaded
    // over http.
    const text = document.createElement('textarea');
    text.value = this.link;
    this.dialog.append(text);
    text.select();
    this.copied = document.execCommand('copy');
    text.remove();
    (currentTarget as HTMLElement).focus();
  }
}
