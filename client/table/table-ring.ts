/** The tools around a finger's place, turned towards the person who opened them. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { OrganismView, Tool } from '../../shared/vocabulary.ts';
import { icons, tile } from '../elements/icons.ts';
import { kindName } from '../elements/text.ts';
import { offered } from '../state/browser-store.ts';
import { controls } from '../style/controls.ts';
import { owner } from '../style/fragments.ts';
import type { Ring } from './ring.ts';

/** Distance from a ring's middle to those of its buttons, and to its edge, in em. */
export const REACH = { buttons: 6.6, edge: 8.4 } as const;
/** Number of creatures that a ring shows at a time. */
const TILES = 5;
/** Angle between two buttons, in degrees. The side of the person's hand stays free. */
const STEP = 32;

/** Fires nothing: its buttons change the ring. */
@localized()
@customElement('table-ring')
export class TableRing extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        position: absolute;
        width: 0;
        height: 0;
        pointer-events: none;
      }
      .middle,
      button {
        position: absolute;
        translate: -50% -50%;
        border-radius: 50%;
      }
      /* The band shows the energy left, in the person's colour. */
      .middle {
        width: ${2 * REACH.buttons - 3.6}em;
        height: ${2 * REACH.buttons - 3.6}em;
        background: conic-gradient(
          oklch(${owner} var(--hue)) calc(var(--share) * 360deg),
          oklch(0.95 0.01 210 / 0.14) 0
        );
        mask: radial-gradient(closest-side, transparent 97%, #000 97.5%);
        animation: fade-in 0.25s ease-out;
      }
      button {
        display: grid;
        place-items: center;
        width: 3.2em;
        height: 3.2em;
        min-width: 0 !important;
        min-height: 0 !important;
        background: var(--panel);
        border: 1px solid var(--line);
        color: var(--ink);
        pointer-events: auto;
        touch-action: none;
        animation: fade-in 0.25s ease-out;
      }
      button[aria-pressed='true'] {
        background: var(--accent-deep);
        box-shadow: inset 0 0 0 0.15em oklch(${owner} var(--hue));
      }
      .tile {
        width: 72%;
        aspect-ratio: 1;
      }
      svg {
        width: 1.7em;
        height: 1.7em;
      }
      .leaving {
        animation: pulse 1s ease-in-out infinite;
        --faintest: 0.25;
      }
      .away svg {
        width: 2.6em;
        height: 2.6em;
        color: var(--alarm);
      }
      .away {
        position: absolute;
        translate: -50% -50%;
      }
    `,
  ];

  /** The ring's contents change in place, so the element renders whenever the table does. */
  @property({ attribute: false, hasChanged: () => true }) ring!: Ring;
  /** Whether the ring is about to be forgotten. */
  @property({ type: Boolean }) leaving = false;

  override render(): TemplateResult {
    const { ring, leaving } = this;
    const { place, model, estimate, left } = ring;
    Object.assign(this.style, { left: `${place.x}px`, top: `${place.y}px` });
    this.style.setProperty('--hue', `${model.you?.hue ?? 0}`);
    this.style.setProperty('--share', `${estimate.share}`);
    const buttons = left ? [] : this.buttons();
    const first = -(STEP * (buttons.length - 1)) / 2;
    return html`<div class=${leaving ? 'leaving' : ''} style="rotate:${place.turn}deg" role="group" aria-label=${msg('Tools')}>
      <div class="middle"></div>
      ${left ? html`<div class="away">${icons.close}</div>` : nothing}
      ${buttons.map((button, i) => {
        const angle = ((first + STEP * i) * Math.PI) / 180;
        const x = REACH.buttons * Math.sin(angle);
        const y = -REACH.buttons * Math.cos(angle);
        return button(`left:${x}em;top:${y}em`);
      })}
    </div>`;
  }

  /** Shakes the ring, because nothing happened. */
  refuse(): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const steps = [0, -0.4, 0.4, -0.2, 0].map((x) => ({ transform: `translateX(${x}em)` }));
    this.animate(steps, 300);
  }

  /** Returns the buttons from the lower left around the top to the lower right. */
  private buttons(): ((style: string) => TemplateResult)[] {
    const { state, model, own, grafted } = this.ring;
    const { checkpoint, settings } = model;
    if (!checkpoint) return [];
    const { held, tool, hand } = state.state;
    const all = offered(checkpoint, settings);
    // The button that takes a graft back needs the place of a creature.
    const tiles = grafted ? TILES - 1 : TILES;
    const shown = Array.from({ length: Math.min(tiles, all.length) }, (_, i) => {
      return all[(this.ring.first + i) % all.length];
    });
    const inGallery = held.from === 'gallery' && shown.includes(held.index);
    if (held.from === 'gallery' && !inGallery) shown[0] = held.index;
    const brush = (which: Tool, label: string, picture: TemplateResult) =>
      this.button(which, label, picture, tool === which, () => {
        state.take(tool === which ? 'plant' : which);
      });
    const seed = (source: SeedSource, id: string, label: string, picture: unknown) =>
      this.button(id, label, picture, JSON.stringify(held) === JSON.stringify(source), () =>
        state.hold(source),
      );
    return [
      brush('damage', msg('Damage'), icons.damage),
      ...(checkpoint.transforms ? [brush('graft', msg('Graft'), icons.graft)] : []),
      ...(grafted ? [this.ungraftButton(grafted)] : []),
      ...hand.slice(0, 1).map(({ id }) => {
        const source = { from: 'hand', seed: id } as const;
        return seed(source, 'hand-seed', msg('A child of two'), this.film(source) ?? icons.cross);
      }),
      ...shown.map((index) => {
        const label = kindName(checkpoint.gallery[index].name);
        return seed({ from: 'gallery', index }, 'creature', label, tile(checkpoint, index));
      }),
      this.button('more', msg('More'), icons.closer, undefined, () => {
        this.ring.first += tiles;
      }),
      this.button('dice', msg('Dice'), this.film(held) ?? icons.dice, held.from === 'prior', () =>
        state.throwDice(Math.random),
      ),
      ...(own
        ? [this.button('keep', msg('Keep'), icons.keep, undefined, () => this.ring.takeAlong(own))]
        : []),
    ];
  }

  private ungraftButton(organism: OrganismView) {
    return this.button('ungraft', msg('Take back my last graft'), icons.undo, undefined, () =>
      this.ring.ungraft(organism),
    );
  }

  /** Returns the picture of a seed that is not in the gallery; undefined until it has arrived. */
  private film(seed: SeedSource): TemplateResult | undefined {
    const film = seed.from === 'gallery' ? undefined : this.ring.previews.film(seed);
    if (!film || film === 'none') return undefined;
    const background = `background:url(${film.url}) 100% 0 / ${film.frames * 100}% 100%`;
    return html`<i class="tile" style=${background}></i>`;
  }

  private button(
    id: string,
    label: string,
    picture: unknown,
    pressed: boolean | undefined,
    act: () => void,
  ) {
    const press = (): void => {
      act();
      this.requestUpdate();
    };
    // A browser makes no clicks of several fingers at a time.
    const up = (event: PointerEvent): void => {
      const { left, top, right, bottom } = (event.currentTarget as Element).getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (x >= left && x <= right && y >= top && y <= bottom) press();
    };
    const click = ({ detail }: MouseEvent): void => {
      if (detail === 0) press();
    };
    return (style: string): TemplateResult => html`<button
      style=${style}
      data-testid=${id}
      aria-label=${label}
      aria-pressed=${pressed ?? nothing}
      @pointerup=${up}
      @click=${click}
    >${picture}</button>`;
  }
}
