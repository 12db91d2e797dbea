/**
 * The keepsake page: grows the seed in its address. It never joins a room. Start here; `models.ts`
 * loads models and steps their cells.
 */

import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { Genomes } from '../../server/vnca/chimera.ts';
import { bounded } from '../../server/vnca/genome.ts';
import {
  decodeSeed,
  identityInToken,
  type TokenGenome,
  type TokenSeed,
} from '../../shared/seed-token.ts';
import type { Part } from '../../shared/vocabulary.ts';
import { capitalized, organismName } from '../elements/text.ts';
import { between } from '../keepsake/film.ts';
import { canvasOf, drawSpecimen, enlarged, paintedBody, wait } from '../keepsake/picture.ts';
import { languageSelect } from '../locale/locale.ts';
import { controls } from '../style/controls.ts';
import { plainSelect } from '../style/fragments.ts';
import {
  findModel,
  fragmentOf,
  growthOf,
  type KeepLink,
  linkInFile,
  type PageModel,
  plantingAddress,
  plantingServer,
  readLink,
  tokenSpecies,
} from './models.ts';

export const style = [
  controls,
  css`
    .all {
      grid-template-rows: 1fr auto;
      container-type: inline-size;
      padding-block: var(--edge-top) var(--edge-bottom);
      padding-inline: var(--edge-start) var(--edge-end);
      background: radial-gradient(circle at 50% 38%, #2a3032, #191e20 55%, #0b0d0f 100%);
    }
    section {
      align-content: center;
      justify-items: center;
      gap: 1.6em;
    }
    figure {
      /* What lies around the body is only its glow. */
      width: min(100cqw, 58dvh, 40em);
      aspect-ratio: 1;
      margin: -4% 0;
    }
    figure.bare {
      position: relative;
      width: min(40cqw, 26dvh, 15em);
      margin: 0;
      border: 1px solid oklch(0.92 0.02 210 / 0.22);
      background: oklch(0.15 0.01 220 / 0.6);
    }
    /* A seed. */
    figure.bare::after {
      content: '';
      position: absolute;
      width: 5%;
      aspect-ratio: 1;
      border-radius: 50%;
      background: var(--accent);
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
    .words {
      justify-items: center;
      gap: 0.8em;
      max-width: 34em;
    }
    h1 {
      font-size: 2em;
      font-weight: 500;
      line-height: 1.15;
      overflow-wrap: anywhere;
    }
    .actions {
      justify-content: center;
      gap: 8px;
      margin-top: 0.6em;
    }
    .solid {
      position: relative;
      display: inline-grid;
      place-content: center;
      min-height: 44px;
      text-decoration: none;
      cursor: pointer;
    }
    input {
      opacity: 0;
      cursor: pointer;
    }
    label:focus-within {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
    }
    footer {
      padding-top: 12px;
    }
    ${plainSelect}
    @media (min-aspect-ratio: 11/10) and (max-height: 600px) {
      section {
        grid-template-columns: auto minmax(0, 24em);
        align-items: center;
        justify-content: center;
        gap: 2em;
      }
      figure {
        width: min(74dvh, 46cqw);
      }
      .words {
        justify-items: start;
        text-align: start;
      }
      .actions {
        justify-content: start;
      }
    }
  `,
];

/** Width and height of the picture, and of the body in it, in pixels. */
const PICTURE = 960;
const BODY = 620;
/**
 * Duration of a step, in ms. At most 6 steps fit into a second. Even if each of them changes the
 * organism's colour, this makes only three flashes per second.
 */
const STEP = 180;
/** Number of pictures in which the grown organism fades from enlarged cells to its painted body. */
const FADE = 8;

/** Reasons why nothing grows. */
type Problem = 'empty' | 'damaged' | 'foreign' | 'unreachable';

/** The page's root element. Scripts may read `phase` and `cells`. */
@customElement('vivarium-keep')
@localized()
export class VivariumKeep extends LitElement {
  static override styles = style;

  /** The organism at rest, [side, side], not premultiplied; undefined before it rests. */
  cells: ImageData | undefined;
  @state() phase: 'loading' | 'growing' | 'grown' | Problem = 'loading';
  /** The parts of a chimera; one part for other organisms. */
  @state() private parts: readonly Part[] = [];
  @state() private link: KeepLink | undefined;
  /** Whether the chosen file contains no seed. */
  @state() private isBarren = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  /** Number of starts so far. A start stops its work once a later start has changed this number. */
  private run = 0;

  override firstUpdated(): void {
    addEventListener('hashchange', () => this.start());
    void this.start();
  }

  protected override updated(): void {
    document.title = `${this.words[0]} · Vivarium`;
  }

  override render(): TemplateResult {
    const [heading, sentence] = this.words;
    return html`<div class="all fill scroll grid">
      <section class="grid">
        <figure class=${this.isLiving ? '' : 'bare middle round'}>
          <canvas
            width=${PICTURE}
            height=${PICTURE}
            role="img"
            aria-label=${this.isLiving ? heading : msg('An empty dish')}
          ></canvas>
        </figure>
        <div class="words grid centred" data-testid="keep" data-phase=${this.phase}>
          <h1>${heading}</h1>
          <p class="soft" role="status">${sentence}</p>
          <div class="actions wrap">${this.isLiving ? this.actions() : this.wayOut()}</div>
          ${
            this.isBarren
              ? html`<p class="soft" role="alert">${msg('There is no seed in this file. Some apps remove it: choose the file that you saved.')}</p>`
              : nothing
          }
        </div>
      </section>
      <footer class="flex spread soft small">
        <span>Vivarium</span>
        ${languageSelect()}
      </footer>
    </div>`;
  }

  private get isLiving(): boolean {
    return this.phase === 'loading' || this.phase === 'growing' || this.phase === 'grown';
  }

  /** The page's heading and the sentence below it. */
  private get words(): readonly [heading: string, sentence: string] {
    const grows = msg('It grows cell by cell in your own browser, from the seed in its link.');
    const name = capitalized(organismName({ ...UNKNOWN, parts: this.parts }));
    return {
      loading: [msg('A seed'), grows],
      growing: [name, grows],
      grown: [name, grows],
      empty: [
        msg('Grow a keepsake'),
        msg('Choose the picture or film that you took home, or open its link.'),
      ],
      damaged: [
        msg('This link is incomplete'),
        msg('Part of it is missing. Scan the code again, or choose your picture or film.'),
      ],
      foreign: [
        msg('From another Vivarium'),
        msg('This page cannot grow this creature. Open the link on its keepsake.'),
      ],
      unreachable: [
        msg('It cannot grow right now'),
        msg('Its cells could not be loaded. Try again in a moment.'),
      ],
    }[this.phase] as [string, string];
  }

  private actions(): TemplateResult {
    const server = plantingServer();
    return html`${
      this.link && server !== undefined
        ? html`<a class="solid" data-testid="plant" href=${plantingAddress(this.link, server)}>
            ${msg('Plant it when you are back')}
          </a>`
        : nothing
    }
      <button class="quiet raise" data-testid="again" @click=${this.start}>
        ${msg('Grow it again')}
      </button>`;
  }

  private wayOut(): TemplateResult {
    if (this.phase === 'unreachable') {
      return html`<button class="solid" data-testid="retry" @click=${this.start}>
        ${msg('Try again')}
      </button>`;
    }
    return html`<label class="solid">
      ${msg('Choose a picture or film')}
      <input class="fill" type="file" accept="image/png,image/gif,video/mp4,video/webm" data-testid="file" @change=${this.readFile} />
    </label>`;
  }

  private async readFile({ target }: Event): Promise<void> {
    const [file] = (target as HTMLInputElement).files ?? [];
    if (!file) return;
    const link = await linkInFile(file);
    this.isBarren = !link;
    if (!link) return;
    history.replaceState(history.state, '', fragmentOf(link));
    void this.start();
  }

  /** Grows the seed in the address. */
  private async start(): Promise<void> {
    const run = ++this.run;
    this.cells = undefined;
    this.isBarren = false;
    this.phase = 'loading';
    this.canvas.getContext('2d')!.clearRect(0, 0, PICTURE, PICTURE);
    const link = readLink(location.hash);
    const identity = link && identityInToken(link.token);
    if (!link || !identity) {
      this.phase = location.hash.length > 1 ? 'damaged' : 'empty';
      return;
    }
    const model = await findModel(identity).catch((): Problem => 'unreachable');
    if (run !== this.run) return;
    const problem = typeof model === 'string' ? model : this.take(link, model);
    if (problem) this.phase = problem;
  }

  /** Checks whether the model can grow the seed, and starts growing it if so. */
  private take(link: KeepLink, model: PageModel | undefined): Problem | undefined {
    if (!model) return 'foreign';
    const seed = decodeSeed(link.token, tokenSpecies(model));
    if (!seed) return 'damaged';
    this.link = link;
    this.parts = partsOf(seed, model);
    this.phase = 'growing';
    const latents = genomesOf(seed).map(({ latent }) => bounded(latent, model.bounds));
    void this.grow(model, { latents, labels: seed.grafts?.places });
    return undefined;
  }

  private async grow(model: PageModel, genomes: Genomes): Promise<void> {
    const { run } = this;
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const { side } = model.card;
    let picture = new ImageData(side, side);
    let { canvas: cells } = canvasOf(side, side);
    for (picture of growthOf(model, genomes)) {
      const next = canvasOf(side, side);
      next.to.putImageData(picture, 0, 0);
      // The first steps show nothing yet, so they are neither drawn nor delayed.
      const isShown = !isCalm && picture.data.some((value, i) => i % 4 === 3 && value > 0);
      for (const each of [between(cells, next.canvas), next.canvas]) {
        if (isShown) this.draw(each);
        // Yield to the event loop, so that the page stays responsive.
        await wait(isShown ? STEP / 2 : 0);
        if (run !== this.run) return;
      }
      cells = next.canvas;
    }
    const body = this.draw(cells);
    if (model.painter) {
      const painted = await paintedBody({ net: model.painter, genomes })(cells, BODY);
      for (let shown = isCalm ? FADE : 1; shown <= FADE; shown++) {
        if (run !== this.run) return;
        this.show(mixed(body, painted, shown / FADE));
        await wait(isCalm ? 0 : STEP / 2);
      }
      if (run !== this.run) return;
    }
    this.cells = picture;
    this.phase = 'grown';
  }

  /** Draws the cells, enlarged. @returns the body as drawn */
  private draw(cells: HTMLCanvasElement): HTMLCanvasElement {
    const body = enlarged(cells, BODY);
    this.show(body);
    return body;
  }

  private show(body: HTMLCanvasElement): void {
    const to = this.canvas.getContext('2d')!;
    to.clearRect(0, 0, PICTURE, PICTURE);
    drawSpecimen(to, body, PICTURE / 2, PICTURE / 2);
  }
}

const genomesOf = (seed: TokenSeed): readonly TokenGenome[] => [
  seed,
  ...(seed.grafts?.genomes ?? []),
];

const UNKNOWN = { kind: '', origin: 'keepsake' } as const;

/** Lists a seed's genomes, with the share of places that read each. */
function partsOf(seed: TokenSeed, { card }: PageModel): Part[] {
  const places = seed.grafts?.places ?? Uint8Array.of(0);
  return genomesOf(seed).map(({ kind, origin = UNKNOWN.origin }, i) => ({
    kind: card.gallery[kind ?? -1]?.name ?? '',
    origin,
    share: places.filter((label) => label === i).length / places.length,
  }));
}

/** Cross-fades two bodies of the same size. @param share of `body` in the mixture, 0 to 1 */
function mixed(from: HTMLCanvasElement, body: HTMLCanvasElement, share: number): HTMLCanvasElement {
  const { canvas, to } = canvasOf(body.width, body.height);
  to.globalAlpha = 1 - share;
  to.drawImage(from, 0, 0);
  // Add both bodies, because normal blending would make them fainter halfway.
  to.globalCompositeOperation = 'lighter';
  to.globalAlpha = share;
  to.drawImage(body, 0, 0);
  return canvas;
}
