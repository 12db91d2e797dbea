/**
 * The page of a room's family tree, at `/lineage#<room>`. It never joins the room. Start here;
 * `tree-canvas.ts` draws the tree, `lineage-card.ts` describes one organism.
 */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { LANGUAGES } from '../../shared/languages.ts';
import { type LineagePage, lineagePath } from '../../shared/lineage.ts';
import { icons } from '../elements/icons.ts';
import type { TreeNode } from '../family-tree/layout.ts';
import { endText, nameOf, sizeText } from '../family-tree/tree-text.ts';
import { knowKinds, language, languageSelect } from '../locale/locale.ts';
import { type LineageCard, style } from './lineage-card.ts';
import { savePrint } from './print-picture.ts';
import { TreeCanvas } from './tree-canvas.ts';

const ZOOM = 1.5;
/** Margins around the tree for the page's own texts and buttons, in px. */
const EDGES = { top: 108, bottom: 76, side: 8 };
const LOW_EDGES = { top: 84, bottom: 62, side: 8 };
/** Height of a window, in px, below which `LOW_EDGES` apply. */
const LOW = 400;

/**
 * An organism's card is at the bottom of windows up to `NARROW` px wide, unless they are low.
 * Otherwise it is at the side, `CARD` px wide.
 */
const NARROW = 600;
const CARD = 330;

/** Reasons why there is no tree. */
type Problem = 'no-room' | 'closed' | 'unreachable';

/** The page's root element. Scripts may read `phase` and `tree`. */
@customElement('vivarium-lineage')
@localized()
export class VivariumLineage extends LitElement {
  static override styles = style;

  tree: TreeCanvas | undefined;
  @state() phase: 'loading' | 'shown' | 'empty' | Problem = 'loading';
  @state() private page: LineagePage | undefined;
  @state() private chosen: TreeNode | undefined;
  @state() private printing: 'under-way' | 'failed' | undefined;
  @query('canvas.tree') private readonly canvas!: HTMLCanvasElement;
  @query('.foot') private readonly foot!: HTMLElement;
  @query('lineage-card') private readonly card!: LineageCard | null;
  private run = 0;
  /** The writing direction for which the tree was laid out. */
  private direction = '';
  private readonly restart = (): void => void this.load();

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('hashchange', this.restart);
    addEventListener('keydown', this.escape);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('hashchange', this.restart);
    removeEventListener('keydown', this.escape);
    this.tree?.close();
    this.run++;
  }

  override firstUpdated(): void {
    this.restart();
  }

  protected override updated(): void {
    document.title = `${msg('Family tree')} · ${this.room} · Vivarium`;
    // If the language has changed, renew the texts on the canvas. If time now runs in the other
    // direction, lay the tree out again.
    if (this.page && this.phase === 'shown' && this.direction !== this.wantedDirection) this.open();
    else this.tree?.invalidate();
  }

  override render(): TemplateResult {
    return html`<div class="all" data-testid="lineage" data-phase=${this.phase}>
      <canvas
        class="tree fill"
        tabindex=${this.phase === 'shown' ? 0 : -1}
        role="application"
        aria-label=${msg('Family tree. Arrow keys move it, plus and minus zoom, N and B go to the next creature and back.')}
      ></canvas>
      <div class="head flex spread">
        <div class="title">
          <h1>${msg('Family tree')} · <bdi>${this.room}</bdi></h1>
          <p class="soft small" data-testid="size">${this.summary}</p>
          ${
            this.printing === 'failed'
              ? html`<p class="small" role="alert">${msg('The picture could not be made. Try again in a moment.')}</p>`
              : nothing
          }
        </div>
        ${languageSelect()}
      </div>
      ${this.phase === 'shown' ? nothing : this.notice()}
      <div class="foot flex spread">
        <div class="links flex wrap">
          <a class="quiet" href=${`/r/${this.room}`} data-testid="to-room">${msg('To the room')}</a>
          ${
            this.phase === 'shown'
              ? html`<button class="quiet raise" data-testid="print" ?disabled=${this.printing === 'under-way'} @click=${this.print}>
                  ${this.printing === 'under-way' ? msg('One moment') : msg('Picture to print')}
                </button>`
              : nothing
          }
        </div>
        ${this.phase === 'shown' ? this.viewButtons() : nothing}
      </div>
      ${
        this.chosen && this.tree && this.page
          ? html`<lineage-card
              .node=${this.chosen}
              .page=${this.page}
              .pictures=${this.tree.pictures}
              room=${this.room}
              @look=${({ detail }: CustomEvent<TreeNode>) => this.look(detail)}
              @close=${() => this.look(undefined)}
            ></lineage-card>`
          : nothing
      }
      <p class="away" role="status">${this.chosen ? `${nameOf(this.chosen.organism)}, ${endText(this.chosen.organism)}` : ''}</p>
    </div>`;
  }

  private viewButtons(): TemplateResult {
    const button = (name: string, label: string, icon: TemplateResult, act: () => void) =>
      html`<button data-testid=${name} aria-label=${label} title=${label} @click=${act}>${icon}</button>`;
    return html`<div class="view panel flex" role="group" aria-label=${msg('View')}>
      ${button('farther', msg('Zoom out'), icons.farther, () => this.tree?.zoom(1 / ZOOM))}
      ${button('closer', msg('Zoom in'), icons.closer, () => this.tree?.zoom(ZOOM))}
      ${button('fit', msg('Show the whole tree'), icons.fit, () => this.tree?.fit())}
    </div>`;
  }

  private notice(): TemplateResult {
    const notices: Partial<Record<typeof this.phase, readonly [text: string, canRetry: boolean]>> =
      {
        empty: [
          msg('Nothing has lived here yet. Plant the first seed, and its tree begins.'),
          false,
        ],
        'no-room': [msg('There is no room with that name.'), false],
        closed: [msg('The room is closed. You can see its tree when it opens again.'), true],
        unreachable: [msg('The tree could not be loaded. Try again in a moment.'), true],
      };
    const [text, canRetry] = notices[this.phase] ?? ['', false];
    return html`<div class="middle" data-testid="notice">
      <p role=${canRetry ? 'alert' : 'status'}>${text}</p>
      ${
        canRetry
          ? html`<button class="solid" data-testid="retry" @click=${this.restart}>${msg('Try again')}</button>`
          : nothing
      }
    </div>`;
  }

  private get room(): string {
    return location.hash
      .slice(1)
      .replaceAll(/[^a-z0-9-]/g, '')
      .slice(0, 32);
  }

  private get summary(): string {
    const { page, tree } = this;
    if (!page || !tree || this.phase !== 'shown') return '';
    return sizeText(page, Math.max(...tree.layout.nodes.map(({ generation }) => generation)));
  }

  private get wantedDirection(): string {
    return LANGUAGES[language()].direction;
  }

  private async load(): Promise<void> {
    const run = ++this.run;
    this.phase = 'loading';
    this.tree?.close();
    this.tree = undefined;
    this.page = undefined;
    this.chosen = undefined;
    this.printing = undefined;
    const response = await fetch(lineagePath(this.room)).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    if (run !== this.run) return;
    if (!response?.ok || !answer) {
      const reason = answer?.reason;
      if (reason === 'no-such-room' || this.room === '') this.phase = 'no-room';
      else this.phase = reason === 'room-closed' ? 'closed' : 'unreachable';
      return;
    }
    this.page = answer as LineagePage;
    knowKinds(this.page.gallery);
    this.phase = this.page.organisms.length > 0 ? 'shown' : 'empty';
    if (this.phase === 'shown') this.open();
  }

  private open(): void {
    this.tree?.close();
    this.direction = this.wantedDirection;
    this.tree = new TreeCanvas({
      ...{ canvas: this.canvas, page: this.page!, room: this.room },
      isMirrored: this.direction === 'rtl',
      grows: !this.tree && !matchMedia('(prefers-reduced-motion: reduce)').matches,
      edges: () => {
        const { clientHeight } = this.canvas;
        const { top, bottom, side } = clientHeight < LOW ? LOW_EDGES : EDGES;
        // The buttons take more height in narrow windows, which stack them.
        const foot = clientHeight - this.foot.getBoundingClientRect().top;
        return { top, bottom: Math.max(bottom, foot), side };
      },
      covered: () => {
        const { clientWidth, clientHeight } = this.canvas;
        return clientWidth > NARROW || clientHeight < LOW
          ? { below: 0, end: Math.min(CARD, clientWidth / 2) }
          : { below: clientHeight / 2, end: 0 };
      },
      onChoose: (node) => {
        this.chosen = node;
      },
      onPicture: () => this.card?.requestUpdate(),
    });
    this.chosen = undefined;
    this.requestUpdate();
  }

  /**
   * Selects an organism and moves the focus to its card. If `node` is undefined, clears the
   * selection and moves the focus to the tree.
   */
  private look(node: TreeNode | undefined): void {
    this.tree?.choose(node);
    if (!node) this.canvas.focus();
    else void this.updateComplete.then(() => this.card?.enter());
  }

  private readonly escape = ({ key }: KeyboardEvent): void => {
    if (key === 'Escape' && this.chosen) this.look(undefined);
  };

  private readonly print = async (): Promise<void> => {
    const { page, tree, room, run, printing } = this;
    if (!page || !tree || printing === 'under-way') return;
    this.printing = 'under-way';
    const printed = { room, isMirrored: this.direction === 'rtl', pictures: tree.pictures };
    const outcome = await savePrint(page, printed).then(
      () => undefined,
      () => 'failed' as const,
    );
    if (run === this.run) this.printing = outcome;
  };
}
