/**
 * The seed tray: a preview of how the selected seed grows, buttons for other sources of seeds, and
 * a row of seeds to choose from.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, queryAll } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import type { OrganismView, SeedView } from '../../../shared/vocabulary.ts';
import { type Checkpoint, icons, tile } from '../../elements/icons.ts';
import { kindName, organismName } from '../../elements/text.ts';
import { forward, rove, settle } from '../../input/keyboard.ts';
import { type Offer, offered } from '../../state/browser-store.ts';
import type { Sheet } from '../../state/interaction-state.ts';
import { fire, labelled, PageElement, VisitorElement } from '../elements/page-element.ts';
import type { RoomSession } from '../room-session.ts';

export function seedTitle(
  { origin, parents }: SeedView,
  organisms: ReadonlyMap<number, OrganismView>,
): string {
  if (origin === 'drawing') return msg('Your drawing');
  const [a, b] = parents.map((id) => organisms.get(id));
  if (a && b) return msg(str`Child of ${organismName(a)} and ${organismName(b)}`);
  return msg('A child of two');
}

/** Returns the name of the seed that the visitor has selected. */
export function heldTitle({ state, model }: Pick<RoomSession, 'state' | 'model'>): string {
  const { held } = state.state;
  if (held.from === 'gallery') return kindName(model.checkpoint?.gallery[held.index]?.name ?? '');
  if (held.from === 'hand') {
    const seed = model.seeds.find(({ id }) => id === held.seed);
    return seed ? seedTitle(seed, model.organisms) : '';
  }
  if (held.from === 'token') return msg('A keepsake');
  return held.from === 'map' ? msg('A creature from the map') : msg('A child of chance');
}

/**
 * Says which creatures are mixed at a point of the map.
 *
 * @param names up to three kinds, nearest first
 */
export function betweenText(names: readonly string[]): string {
  const [first, second, third] = names.map(kindName);
  if (!second) return first ?? '';
  if (!third) return msg(str`A mix of ${first} and ${second}`);
  return msg(str`A mix of ${first}, ${second} and ${third}`);
}

/**
 * Renders a button that shows a gallery creature and fires `take` (`detail`: SeedSource) when
 * pressed.
 */
export function galleryButton(
  testid: string,
  checkpoint: Checkpoint,
  index: number,
  held: SeedSource,
  tabindex?: number,
): TemplateResult {
  const { name } = checkpoint.gallery[index];
  return html`<button
    class="seed raise middle"
    data-testid=${testid}
    data-name=${name}
    title=${kindName(name)}
    aria-label=${kindName(name)}
    aria-pressed=${held.from === 'gallery' && held.index === index}
    tabindex=${tabindex ?? nothing}
    @click=${({ currentTarget }: Event) => fire(currentTarget as HTMLElement, 'take', { from: 'gallery', index })}
  >
    ${tile(checkpoint, index)}
  </button>`;
}

/**
 * CSS classes of the dice button and of the buttons that open the gallery, the map and the drawing
 * pad.
 */
const WAY = 'raise flex small soft shrinks';

/** The part of the dock that shows the selected seed, visible for tools that need a seed. */
@customElement('seed-tray')
export class SeedTray extends PageElement {
  static override styles = css`
    :host {
      display: grid;
      grid-template-columns: auto 1fr;
      gap: 2px 10px;
      min-width: 0;
    }
    .held {
      grid-row: 1 / 3;
      align-self: center;
      position: relative;
      width: 6.2em;
      height: 6.2em;
      border-radius: 18px;
      background:
        radial-gradient(circle at 50% 46%, oklch(0.34 0.03 180 / 0.7), transparent 72%),
        oklch(0.13 0.01 230);
      box-shadow: inset 0 0 0 1px var(--line);
    }
    .held seed-film {
      inset: 7%;
    }
    .ways {
      --icon: 1.4em;
      display: flex;
      gap: 2px;
      padding-top: 2px;
      padding-inline-end: 2px;
    }
    .ways button {
      flex: 1 1 0;
      justify-content: center;
      gap: 0.45em;
      min-height: 2.6em;
      padding: 0 0.3em;
      border-radius: 13px;
    }
    .ways button[aria-pressed='true'] {
      color: var(--accent);
    }
    :host(:where([brush])) {
      grid-template-columns: auto 1fr 10em;
    }
    seed-row {
      grid-column: 2 / -1;
    }
    .tumble svg {
      animation: tumble 0.45s cubic-bezier(0.3, 1.5, 0.5, 1);
    }
    @keyframes tumble {
      from {
        transform: rotate(-200deg) scale(0.8);
      }
    }
    /* In a small window, the slider for the width of strokes replaces the row of seeds. */
    @media (max-width: 720px), (max-height: 520px) {
      :host(:where([brush])) {
        grid-template-columns: auto minmax(0, 1fr);
      }
      :host([brush]) seed-row {
        display: none;
      }
    }
    @media (max-width: 720px) {
      .ways button {
        flex-direction: column;
        gap: 1px;
        min-height: 3.4em;
        font-size: 0.82em;
      }
      .ways {
        --icon: 1.75em;
      }
      .held {
        width: 6.9em;
        height: 6.9em;
      }
    }
    @media (min-width: 400px) and (max-height: 520px) and (orientation: landscape) {
      :host {
        grid-template-columns: auto auto minmax(0, 1fr);
        align-items: center;
      }
      seed-row {
        grid-column: auto;
      }
      .held {
        grid-row: auto;
        width: 54px;
        height: 54px;
        border-radius: 14px;
      }
      .ways {
        padding: 0;
      }
      .ways button {
        flex: none;
        min-width: 44px;
        min-height: 44px;
      }
      .ways span {
        display: none;
      }
    }
    @media (min-width: 400px) and (max-width: 559px) and (max-height: 520px) and (orientation: landscape) {
      :host {
        grid-template-columns: auto minmax(0, 1fr);
        column-gap: 4px;
      }
      .ways {
        gap: 0;
        overflow-x: auto;
        scrollbar-width: none;
      }
    }
    @media (max-width: 299px) {
      :host {
        grid-template-columns: minmax(0, 1fr);
      }
      seed-row {
        grid-column: auto;
      }
      .held {
        display: none;
      }
      .ways {
        overflow-x: auto;
        scrollbar-width: none;
      }
      .ways button {
        flex: 1 0 auto;
      }
    }
    /* Hide the row of seeds and the slider, which do not fit. */
    @media (max-width: 299px) and (max-height: 299px), (min-width: 400px) and (max-width: 559px) and (max-height: 520px) and (orientation: landscape) {
      seed-row,
      brush-size {
        display: none;
      }
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { model, state, previews } = this.session;
    const { checkpoint } = model;
    if (!checkpoint) return nothing;
    const { held, tool } = state.state;
    const isBrush = tool === 'graft';
    this.toggleAttribute('brush', isBrush);
    return html`<div class="held" role="img" aria-label=${heldTitle(this.session)} data-testid="held">
        <seed-film class="over" .previews=${previews} .seed=${held}></seed-film>
      </div>
      <div class="ways shrinks" role="group" aria-label=${msg('Ways to get a seed')}>
        ${this.way('gallery', 'search', msg('All'))}
        ${labelled(WAY, [msg('A random seed, different each time'), html`${icons.dice}<span class="cut">${msg('Dice')}</span>`], (event) => this.throwDice(event), { id: 'dice', pressed: held.from === 'prior' })}
        ${checkpoint.draws && model.settings?.drawings !== 'off' ? this.way('draw', 'draw', msg('Draw')) : nothing}
        ${checkpoint.map ? this.way('map', 'map', msg('Map')) : nothing}
      </div>
      ${isBrush ? html`<brush-size slim .session=${this.session}></brush-size>` : nothing}
      <seed-row
        .session=${this.session}
        .offer=${model.settings}
        .hand=${model.seeds}
        .held=${held}
        @take=${({ detail }: CustomEvent<SeedSource>) => state.hold(detail)}
      ></seed-row>`;
  }

  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>('seed-row')?.focus();
  }

  private way(sheet: Sheet, icon: 'search' | 'draw' | 'map', label: string): TemplateResult {
    const content = html`${icons[icon]}<span class="cut">${label}</span>`;
    const open = (): void => this.session.state.update({ sheet });
    return labelled(WAY, [label, content], open, { id: `open-${sheet}`, opens: true });
  }

  private throwDice(event: Event): void {
    const button = event.currentTarget as HTMLElement;
    button.classList.remove('tumble');
    // Read the layout to restart the CSS animation.
    void button.offsetWidth;
    button.classList.add('tumble');
    this.session.state.throwDice(Math.random);
  }
}

/** A row of seeds. Fires `take` (`detail`: SeedSource) when a seed is chosen. */
@customElement('seed-row')
export class SeedRow extends VisitorElement {
  static override styles = css`
    :host {
      min-width: 0;
    }
    .row {
      display: flex;
      gap: 3px;
      overflow-x: auto;
      overscroll-behavior-x: contain;
      scrollbar-width: none;
      padding: 4px;
      padding-inline: 12px 36px;
      scroll-padding: 0 60px;
      mask-image: linear-gradient(
        calc(var(--forward) * 90deg),
        transparent,
        #000 14px calc(100% - 40px),
        transparent
      );
    }
    button {
      flex: none;
      position: relative;
      width: 3.6em;
      height: 3.6em;
      border-radius: 14px;
      contain: strict;
    }
    .tile,
    seed-film {
      width: 82%;
      clip-path: inset(1.5%);
    }
    .own::after {
      content: '';
      position: absolute;
      inset-inline-end: 7px;
      top: 7px;
      width: 6px;
      height: 6px;
      border-radius: 50%;
      background: var(--warm);
    }
  `;

  /**
   * The visitor's session. Changes of its data do not render the row again, because rendering
   * hundreds of seeds takes long.
   */
  @property({ attribute: false }) session!: RoomSession;
  /** The host's settings that determine which gallery seeds are shown. */
  @property({ attribute: false }) offer: Offer | undefined;
  /** The visitor's own seeds, oldest first. */
  @property({ attribute: false }) hand: readonly SeedView[] = [];
  @property({ attribute: false }) held!: SeedSource;
  @queryAll('button') private readonly buttons!: NodeListOf<HTMLElement>;

  override render(): TemplateResult {
    const { held } = this;
    const checkpoint = this.session.model.checkpoint!;
    const shown = new Set(offered(checkpoint, this.offer));
    // Show the selected seed even if the row does not offer it, for example after a search by name.
    if (held.from === 'gallery') shown.add(held.index);
    return html`<div
      class="row"
      role="group"
      aria-label=${msg('Seeds')}
      @wheel=${this.wheel}
      @keydown=${(event: KeyboardEvent) => rove(event, [...this.buttons])}
    >
      ${[...this.hand].reverse().map((seed) => this.own(seed))}
      ${[...shown].map((index) => galleryButton('gallery-item', checkpoint, index, held))}
    </div>`;
  }

  /** Moves the focus to the selected seed or, if the row does not contain it, to the first seed. */
  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  }

  protected override updated(changed: PropertyValues): void {
    settle([...this.buttons]);
    if (changed.has('held')) this.reveal();
  }

  private own(seed: SeedView): TemplateResult {
    const { held, session } = this;
    const title = seedTitle(seed, session.model.organisms);
    const source = { from: 'hand', seed: seed.id } as const;
    return html`<button
      class="seed own raise middle"
      data-testid="hand-seed"
      data-origin=${seed.origin}
      title=${title}
      aria-label=${title}
      aria-pressed=${held.from === 'hand' && held.seed === seed.id}
      @click=${() => fire(this, 'take', source)}
    >
      <seed-film still .previews=${session.previews} .seed=${source}></seed-film>
    </button>`;
  }

  /** Scrolls the row to the selected seed. */
  private reveal(): void {
    const row = this.shadowRoot?.querySelector('.row');
    const held = row?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (!row || !held) return;
    const [outer, inner] = [row.getBoundingClientRect(), held.getBoundingClientRect()];
    if (inner.left > outer.left + 20 && inner.right < outer.right - 40) return;
    row.scrollLeft += inner.left - outer.left - row.clientWidth / 2.4;
  }

  /** Scrolls the row horizontally with a vertical mouse wheel. */
  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    (event.currentTarget as HTMLElement).scrollLeft += forward() * event.deltaY;
    event.preventDefault();
  }
}
