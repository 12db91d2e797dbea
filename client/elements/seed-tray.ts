/** The seeds one can plant: chance, what one has crossed, and the gallery. */
import { localized, msg, str } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, queryAll, state } from 'lit/decorators.js';
import type { Event } from '../../shared/protocol/events.ts';
import { rove, settle } from '../input/roving.ts';
import type { Session } from '../session.ts';
import { controls } from '../style/controls.ts';
import { icons } from './icons.ts';
import { kindTile, tile } from './seed-picture.ts';
import { kindName } from './words.ts';

const KINDS: Readonly<Record<string, () => string>> = {
  animal: () => msg('Animals'),
  plant: () => msg('Plants'),
  food: () => msg('Food'),
  face: () => msg('Faces'),
  thing: () => msg('Things'),
};

@localized()
@customElement('seed-tray')
export class SeedTray extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 2px;
        min-width: 0;
      }
      .chips {
        display: flex;
        gap: 2px;
        overflow-x: auto;
        scrollbar-width: none;
        padding: 3px;
      }
      .chips button {
        flex: none;
        padding: 0.28em 0.8em;
        font-size: 0.86em;
        color: var(--ink-soft);
        border-radius: 999px;
      }
      /* Tall to a finger, slender to the eye. */
      @media (pointer: coarse) {
        .chips button {
          border-block: 7px solid transparent;
          background-clip: padding-box;
        }
        .chips {
          margin-block: -6px;
        }
      }
      .chips button[aria-pressed='true'] {
        background: var(--raised);
        color: var(--ink);
      }
      .row {
        display: flex;
        gap: 3px;
        overflow-x: auto;
        overscroll-behavior-x: contain;
        scrollbar-width: none;
        padding: 4px 36px 4px 10px;
        scroll-padding: 0 60px;
        mask-image: linear-gradient(
          to right,
          transparent,
          #000 14px calc(100% - 40px),
          transparent
        );
      }
      .line {
        display: flex;
        align-items: center;
        min-width: 0;
      }
      .seed {
        flex: none;
        position: relative;
        width: 3.7em;
        height: 3.7em;
        border-radius: 14px;
        display: grid;
        place-items: center;
        color: var(--ink-soft);
      }
      .seed[aria-pressed='true'] {
        background: var(--accent-deep);
        box-shadow: inset 0 0 0 1.5px var(--accent);
        color: var(--accent);
      }
      @media (hover: hover) {
        .seed:hover:not([aria-pressed='true']) {
          background: var(--raised);
        }
        .chips button:hover {
          color: var(--ink);
        }
      }
      .seed > svg {
        width: 1.9em;
        height: 1.9em;
      }
      .tile {
        width: 82%;
        height: 82%;
        clip-path: inset(1.5%);
      }
      .nameless {
        width: 40%;
        height: 40%;
        clip-path: circle();
        background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.55 0.06 80));
      }
      .crossed .tile {
        position: absolute;
        width: 60%;
        height: 60%;
        left: 6%;
        top: 8%;
      }
      .crossed .tile + .tile {
        left: 34%;
        top: 32%;
      }
      .crossed::after {
        content: '';
        position: absolute;
        right: 7px;
        top: 7px;
        width: 6px;
        height: 6px;
        border-radius: 50%;
        background: var(--warm);
      }
      .divider {
        flex: none;
        width: 1px;
        height: 2.4em;
        margin: 0 2px 0 5px;
        background: var(--line);
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) checkpoint!: Event<'welcome'>['checkpoint'];
  /** Changes with the session, so that this is drawn anew. */
  @property({ attribute: false }) version = 0;
  @state() private filter = '';
  @queryAll('.row .seed') private readonly row!: NodeListOf<HTMLElement>;

  override render(): TemplateResult {
    const { gallery } = this.checkpoint;
    const kinds = Object.keys(KINDS).filter((kind) => gallery.some((entry) => entry.kind === kind));
    const chip = (kind: string, label: string): TemplateResult => html`<button
      aria-pressed=${this.filter === kind}
      @click=${() => {
        this.filter = kind;
        this.shadowRoot?.querySelector('.row')?.scrollTo({ left: 0 });
      }}
    >
      ${label}
    </button>`;
    return html`
      ${
        kinds.length > 1
          ? html`<div class="chips" role="group" aria-label=${msg('Kinds of seeds')}>
            ${chip('', msg('All'))} ${kinds.map((kind) => chip(kind, KINDS[kind]()))}
          </div>`
          : ''
      }
      <div class="line">
        ${this.dice()}<span class="divider"></span>
        <div class="row" role="group" aria-label=${msg('Seeds')} data-testid="tray" @wheel=${this.wheel} @keydown=${this.rove}>
          ${this.crossed()} ${this.seeds()}
        </div>
      </div>
    `;
  }

  /** Puts the focus on the seed in hand. */
  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>('.seed[aria-pressed="true"]')?.focus();
  }

  override firstUpdated(): void {
    const held = this.shadowRoot?.querySelector<HTMLElement>('.row .seed[aria-pressed="true"]');
    const row = this.shadowRoot?.querySelector('.row');
    if (!held || !row) return;
    const way = held.getBoundingClientRect().left - row.getBoundingClientRect().left;
    row.scrollLeft += way - row.clientWidth / 2.4;
  }

  protected override updated(): void {
    settle([...this.row]);
  }

  private rove(event: KeyboardEvent): void {
    rove(event, [...this.row]);
  }

  private dice(): TemplateResult {
    return html`<button
      class="seed"
      data-testid="dice"
      title=${msg('A random seed')}
      aria-label=${msg('A random seed, different each time')}
      aria-pressed=${this.session.state.held.from === 'prior'}
      @click=${() => this.session.hold({ from: 'prior' })}
    >
      ${icons.dice}
    </button>`;
  }

  private crossed(): TemplateResult[] {
    const { held, crossed } = this.session.state;
    return crossed.map(({ seed, kinds }) => {
      const label = msg(str`Cross of ${kindName(kinds[0])} and ${kindName(kinds[1])}`);
      return html`<button
        class="seed crossed"
        data-testid="crossed-seed"
        title=${label}
        aria-label=${label}
        aria-pressed=${held.from === 'hand' && held.seed === seed.id}
        @click=${() => this.session.hold({ from: 'hand', seed: seed.id })}
      >
        ${kinds.map((kind) => kindTile(this.checkpoint, kind))}
      </button>`;
    });
  }

  private seeds(): TemplateResult {
    const { held } = this.session.state;
    return html`${this.checkpoint.gallery.map(({ name, kind }, index) =>
      this.filter !== '' && kind !== this.filter
        ? ''
        : html`<button
            class="seed"
            data-testid="gallery-item"
            data-name=${name}
            title=${kindName(name)}
            aria-label=${kindName(name)}
            aria-pressed=${held.from === 'gallery' && held.index === index}
            @click=${() => this.session.hold({ from: 'gallery', index })}
          >
            ${tile(this.checkpoint, index)}
          </button>`,
    )}`;
  }

  /** A mouse wheel has one axis; the tray takes it as its own. */
  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    (event.currentTarget as HTMLElement).scrollLeft += event.deltaY;
    event.preventDefault();
  }
}
