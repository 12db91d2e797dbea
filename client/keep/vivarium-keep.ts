/**
 * The keepsake page. It grows an organism from the seed in the page's address, with a model that is
 * inlined in the page or loaded from the server. The page never joins a room.
 */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { divide, firstStage, growthSchedule, seedState } from '../../server/vnca/architecture.ts';
import type { Card } from '../../server/vnca/card.ts';
import type { Genomes } from '../../server/vnca/chimera.ts';
import { bounded, type LatentBounds } from '../../server/vnca/genome.ts';
import { createReadout } from '../../server/vnca/readout.ts';
import { createScalarRule } from '../../server/vnca/scalar-rule.ts';
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';
import { float32Of, readSafetensors } from '../../shared/safetensors.ts';
import * as tokens from '../../shared/seed-token.ts';
import type { Part } from '../../shared/vocabulary.ts';
import { capitalized, organismName } from '../elements/text.ts';
import { between } from '../keepsake/film.ts';
import {
  canvasOf,
  drawSpecimen,
  enlarged,
  latin1,
  paintedBody,
  wait,
} from '../keepsake/picture.ts';
import { languageSelect } from '../locale/locale.ts';
import { controls } from '../style/controls.ts';
import { plainSelect } from '../style/fragments.ts';

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
      /* Near its edges, this box shows only the organism's glow, so it may overlap the elements
         above and below. */
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
    /* A dot that represents a seed. */
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

/** Width and height of the picture and of the organism in it, in pixels. */
const PICTURE = 960;
const BODY = 620;
/**
 * How long each growth step is shown, in ms. At most 6 steps fit into a second. A flash needs two
 * opposite changes, so growth stays within the limit of three flashes per second (WCAG 2.3.1).
 */
const STEP = 180;
/**
 * Number of frames of the cross-fade, after growth, from the enlarged cells to the finer picture
 * made by the painter (a neural network).
 */
const FADE = 8;

/** Reasons why the page cannot grow an organism. */
type Problem = 'empty' | 'damaged' | 'foreign' | 'unreachable';

/** Root element of the keepsake page. Tests may read `phase` and `cells`. */
@customElement('vivarium-keep')
@localized()
export class VivariumKeep extends LitElement {
  static override styles = style;

  /**
   * RGBA [side, side] of the organism, not premultiplied; undefined until the organism is fully
   * grown.
   */
  cells: ImageData | undefined;
  @state() phase: 'loading' | 'growing' | 'grown' | Problem = 'loading';
  /**
   * The organism's genomes, each with its name and the share of cells that read it. Only chimeras
   * (grafted organisms) have more than one genome.
   */
  @state() private parts: readonly Part[] = [];
  @state() private link: KeepLink | undefined;
  /** Whether the file that the visitor chose contains no seed. */
  @state() private isBarren = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  /**
   * Number of calls of `start` so far. Asynchronous work stops if the number has changed since the
   * work began.
   */
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
              ? html`<p class="soft" role="alert">${msg('There is no seed in this file. Some apps remove the seed from files that they send, so choose the file that you saved.')}</p>`
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

  private get words(): readonly [heading: string, sentence: string] {
    const grows = msg(
      'The creature grows cell by cell in your own browser, from the seed in its link.',
    );
    const name = capitalized(organismName({ ...UNKNOWN, parts: this.parts }));
    return {
      loading: [msg('A seed'), grows],
      growing: [name, grows],
      grown: [name, grows],
      empty: [
        msg('Grow a keepsake'),
        msg('Choose the picture or film that you took home, or open the link of your keepsake.'),
      ],
      damaged: [
        msg('This link is incomplete'),
        msg('Part of the link is missing. Scan the code again, or choose your picture or film.'),
      ],
      foreign: [
        msg('From another Vivarium'),
        msg('This page cannot grow this creature. Open the link on its keepsake.'),
      ],
      unreachable: [
        msg('This creature cannot grow right now'),
        msg('The creature’s cells could not be loaded. Try again in a moment.'),
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

  /** Grows the seed in the page's address. */
  private async start(): Promise<void> {
    const run = ++this.run;
    this.cells = undefined;
    this.isBarren = false;
    this.phase = 'loading';
    this.canvas.getContext('2d')!.clearRect(0, 0, PICTURE, PICTURE);
    const link = readLink(location.hash);
    const identity = link && tokens.identityInToken(link.token);
    if (!link || !identity) {
      this.phase = location.hash.length > 1 ? 'damaged' : 'empty';
      return;
    }
    const model = await findModel(identity).catch((): Problem => 'unreachable');
    if (run !== this.run) return;
    const problem = typeof model === 'string' ? model : this.take(link, model);
    if (problem) this.phase = problem;
  }

  /**
   * Starts growing the seed in the link, if the model can grow it.
   *
   * @returns why the model cannot grow the seed; undefined if growth has started
   */
  private take(link: KeepLink, model: PageModel | undefined): Problem | undefined {
    if (!model) return 'foreign';
    const seed = tokens.decodeSeed(link.token, tokenSpecies(model));
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
      // Do not draw steps in which no cell is visible. If the visitor prefers reduced motion, draw
      // no steps.
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

  /** Draws the cells, enlarged. @returns a canvas with the enlarged organism */
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

const genomesOf = (seed: tokens.TokenSeed): readonly tokens.TokenGenome[] => [
  seed,
  ...(seed.grafts?.genomes ?? []),
];

const UNKNOWN = { kind: '', origin: 'keepsake' } as const;

/**
 * Lists the genomes of a seed. `share`: the part of the organism's square whose cells read the
 * genome, 0 to 1.
 */
function partsOf(seed: tokens.TokenSeed, { card }: PageModel): Part[] {
  const places = seed.grafts?.places ?? Uint8Array.of(0);
  return genomesOf(seed).map(({ kind, origin = UNKNOWN.origin }, i) => ({
    kind: card.gallery[kind ?? -1]?.name ?? '',
    origin,
    share: places.filter((label) => label === i).length / places.length,
  }));
}

/**
 * Returns a mixture of two pictures of the same size, for a cross-fade.
 *
 * @param share weight of `body`, 0 to 1; `from` has the remaining weight
 */
function mixed(from: HTMLCanvasElement, body: HTMLCanvasElement, share: number): HTMLCanvasElement {
  const { canvas, to } = canvasOf(body.width, body.height);
  to.globalAlpha = 1 - share;
  to.drawImage(from, 0, 0);
  // Add the two pictures. Normal blending would make the mixture too transparent halfway through
  // the fade.
  to.globalCompositeOperation = 'lighter';
  to.globalAlpha = share;
  to.drawImage(body, 0, 0);
  return canvas;
}

/** Returns the models that `npm run keep-page` has inlined in the page. */
const inlined = (): HTMLElement[] => [
  ...document.querySelectorAll<HTMLElement>('script[data-model]'),
];

/**
 * Returns the origin of the server on which visitors can plant the seed. '' means the server of
 * this page. Undefined if the page is a single file that names no server.
 */
export const plantingServer = (): string | undefined =>
  document.querySelector<HTMLMetaElement>('meta[name=vivarium-server]')?.content ??
  (inlined().length > 0 ? undefined : '');

/**
 * Finds the model whose weights have the identity `name`.
 *
 * @returns undefined if neither the page nor the server has the model
 * @throws Error if the model cannot be loaded
 */
export async function findModel(name: string): Promise<PageModel | undefined> {
  const models = inlined();
  if (models.length > 0) {
    const found = models.find(({ dataset }) => dataset.model === name);
    return found && parse(latin1(atob(found.textContent ?? '')));
  }
  const response = await fetch(tokens.modelPath(name));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  return parse(new Uint8Array(await response.arrayBuffer()));
}

function parse(bytes: Uint8Array) {
  const file = readSafetensors(bytes);
  const { card, bounds, rest, painter } = file.metadata;
  const model = {
    card: JSON.parse(card) as Card,
    tensors: float32Of(file),
    bounds: JSON.parse(bounds) as LatentBounds,
    /**
     * Growth ends when no RGBA8 value has changed by more than `level` for `ticks` consecutive
     * steps, or after `most` steps at the latest. Only the steps after `growthSchedule` count.
     */
    rest: JSON.parse(rest) as Readonly<Record<'level' | 'ticks' | 'most', number>>,
    /** Paints organisms in high resolution. If undefined, the cells are drawn enlarged. */
    painter: undefined as PainterNet | undefined,
  };
  try {
    return painter ? { ...model, painter: parsePainter(latin1(atob(painter))) } : model;
  } catch {
    // Continue without the painter: a newer release may have written it in another format.
    return model;
  }
}

type PageModel = ReturnType<typeof parse>;

/** Returns the properties of a model that are needed to decode its tokens (seeds as text). */
export function tokenSpecies({ card, tensors }: PageModel): tokens.TokenSpecies {
  const { identity, latentSize, side } = card;
  const { data } = tensors.get('gallery.latents')!;
  const gallery = card.gallery.map((_, i) => {
    return { latent: data.subarray(i * latentSize, (i + 1) * latentSize) };
  });
  return { identity: identity!, latentSize, side, gallery };
}

/**
 * Grows an organism from its seed until it is at rest (see `rest` in `parse`). Yields a picture
 * after each step.
 *
 * @param genomes the organism's own genome, followed by the grafted genomes
 * @returns pictures, each RGBA [side, side], not premultiplied
 */
export function* growthOf(model: PageModel, genomes: Genomes): Generator<ImageData> {
  const { card, rest } = model;
  const { channels } = card;
  const step = createScalarRule(model, genomes);
  const read = createReadout(card);
  const held = new Uint8Array(card.side ** 2);
  let states = seedState(genomes.latents[0], firstStage(card), channels);
  let rgba = new Uint8Array(0);
  const look = (): ImageData => {
    const cells = states.length / channels;
    const presence = new Uint8Array(cells);
    rgba = new Uint8Array(4 * cells);
    read(states, 0, rgba, presence);
    return ownedCells(card, held, rgba, presence);
  };
  for (const { divide: isDividing } of growthSchedule(card)) {
    states = step(isDividing ? divide(states, channels) : states);
    yield look();
  }
  for (let steps = 0, resting = 0; steps < rest.most && resting < rest.ticks; steps++) {
    const before = rgba;
    states = step(states);
    const picture = look();
    const isResting = rgba.every((v, i) => Math.abs(v - before[i]) <= rest.level);
    resting = isResting ? resting + 1 : 0;
    yield picture;
  }
}

/**
 * After a growth step, updates which cells the organism owns, by the rules OWN-2 and OWN-3 in
 * `shared/RULES.md`. There are no other organisms that could own cells.
 *
 * @param held 1 for each cell that the organism owns, otherwise 0, [side, side]; updated in place
 * @param rgba colours of the organism's current cells, premultiplied
 * @param presence how alive each current cell is, 0 to 255
 * @returns a picture of the owned cells
 */
function ownedCells(
  { side, presence: { threshold: share } }: Card,
  held: Uint8Array,
  rgba: Uint8Array,
  presence: Uint8Array,
): ImageData {
  const threshold = Math.ceil(share * 255);
  const stage = Math.sqrt(presence.length);
  const inset = (side - stage) >> 1;
  const picture = new ImageData(side, side);
  for (let cell = 0; cell < presence.length; cell++) {
    const place = (inset + Math.floor(cell / stage)) * side + inset + (cell % stage);
    if (presence[cell] >= threshold) held[place] = 1;
    // Hysteresis: the organism gains a cell when `presence` reaches `threshold`, but loses the cell
    // only when `presence` drops below half of `threshold`.
    else if (presence[cell] < threshold / 2) held[place] = 0;
    const alpha = rgba[4 * cell + 3];
    if (held[place] === 0 || alpha === 0) continue;
    for (let c = 0; c < 3; c++) picture.data[4 * place + c] = (255 * rgba[4 * cell + c]) / alpha;
    picture.data[4 * place + 3] = alpha;
  }
  return picture;
}

export interface KeepLink {
  /**
   * The encoded seed, with the identity of the model weights that can grow it; see
   * `shared/seed-token.ts`.
   */
  readonly token: string;
  /** Name of the room. Undefined if the link names no room. */
  readonly room: string | undefined;
}

const LINK = new RegExp(
  `#([\\w-]{${tokens.MIN_TOKEN},${tokens.MAX_TOKEN}})(?:/([a-z0-9-]{1,64}))?`,
);

/** Number of bytes of a file in which to search for a link. */
const MOST = 64 * 2 ** 20;

/** Returns the first keepsake link in a text. Undefined if there is none. */
export function readLink(text: string): KeepLink | undefined {
  const [, token, room] = LINK.exec(text) ?? [];
  return token === undefined ? undefined : { token, room };
}

/** Finds the link in a picture or film that was saved as a keepsake. Undefined if there is none. */
export async function linkInFile(file: Blob): Promise<KeepLink | undefined> {
  const bytes = new Uint8Array(await file.slice(0, MOST).arrayBuffer());
  const text = new TextDecoder('latin1').decode(bytes);
  return readLink(text.startsWith('GIF8') ? lastComment(text, bytes) : text);
}

/**
 * Returns the last comment in a GIF file. A GIF stores a comment as blocks, each of which begins
 * with a byte that contains the block's length. An empty block ends the comment.
 *
 * @param text the bytes of the file as Latin-1 text
 * @param bytes the bytes of the file
 */
function lastComment(text: string, bytes: Uint8Array): string {
  let comment = '';
  let at = text.lastIndexOf('!\xfe') + 2;
  while (bytes[at] > 0) {
    const next = at + 1 + bytes[at];
    comment += text.slice(at + 1, next);
    at = next;
  }
  return comment;
}

/** Returns the URL fragment of a keepsake link. */
export const fragmentOf = ({ token, room }: KeepLink): string =>
  room === undefined ? `#${token}` : `#${token}/${room}`;

/**
 * Returns the address of a page on which visitors can plant the seed of a keepsake link.
 *
 * @param server origin of the server; '' for the server that served this page
 */
export function plantingAddress({ token, room }: KeepLink, server: string): string {
  return `${server}/${room === undefined ? '' : `r/${room}`}?seed=${token}`;
}
