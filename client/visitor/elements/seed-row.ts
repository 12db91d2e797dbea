/** A row of seeds: the visitor's own seeds, then the gallery. */
import { msg } from '@lit/localize';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, queryAll } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { SeedView } from '../../../shared/vocabulary.ts';
import { forward, rove, settle } from '../../input/roving-focus.ts';
import type { Previews } from '../../net/seed-previews.ts';
import { fire, VisitorElement } from './page-element.ts';
import './seed-film.ts';
import { tile } from '../../elements/seed-picture.ts';
import { kindName } from '../../elements/text.ts';
import { offered } from '../../state/offered.ts';

/** Fires `take` (`detail`: SeedSource) when a seed is chosen. */
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
      height: 82%;
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

  @property({ attribute: false }) checkpoint!: Event<'welcome'>['checkpoint'];
  /** Whether the host shows the whole gallery. */
  @property({ attribute: false }) whole: boolean | undefined;
  @property({ attribute: false }) hand: readonly SeedView[] = [];
  @property({ attribute: false }) held!: SeedSource;
  @property({ attribute: false }) previews!: Previews;
  @queryAll('button') private readonly buttons!: NodeListOf<HTMLElement>;
  /** Returns the name of one of the visitor's own seeds. */
  @property({ attribute: false, hasChanged: () => false }) titleOf!: (seed: SeedView) => string;

  override render(): TemplateResult {
    const { checkpoint, held } = this;
    const shown = new Set(offered(checkpoint, this.whole));
    // One that was found by its name.
    if (held.from === 'gallery') shown.add(held.index);
    return html`<div
      class="row"
      role="group"
      aria-label=${msg('Seeds')}
     
      @wheel=${this.wheel}
      @keydown=${(event: KeyboardEvent) => rove(event, [...this.buttons])}
    >
      ${this.hand.map((seed) => this.own(seed))}
      ${[...shown].map((index) => this.entry(checkpoint.gallery[index].name, index))}
    </div>`;
  }

  /** Focuses the selected seed, or the first one. */
  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  }

  protected override updated(changed: PropertyValues): void {
    settle([...this.buttons]);
    if (changed.has('held')) this.reveal();
  }

  private own(seed: SeedView): TemplateResult {
    const { held } = this;
    const title = this.titleOf(seed);
    const source = { from: 'hand', seed: seed.id } as const;
    return html`<button
      class="seed own raise middle"
      data-testid="hand-seed"
      data-origin=${seed.origin}
      title=${title}
      aria-label=${title}
      aria-pressed=${held.from === 'hand' && held.seed === seed.id}
      @click=${() => this.take(source)}
    >
      <seed-film still .previews=${this.previews} .seed=${source}></seed-film>
    </button>`;
  }

  private entry(name: string, index: number): TemplateResult {
    const { held } = this;
    const pressed = held.from === 'gallery' && held.index === index;
    return html`<button
      class="seed raise middle"
      data-testid="gallery-item"
      data-name=${name}
      title=${kindName(name)}
      aria-label=${kindName(name)}
      aria-pressed=${pressed}
      @click=${() => this.take({ from: 'gallery', index })}
    >
      ${tile(this.checkpoint, index)}
    </button>`;
  }

  private take(seed: SeedSource): void {
    fire(this, 'take', seed);
  }

  /** Scrolls the selected seed into view; it may have been chosen elsewhere. */
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
