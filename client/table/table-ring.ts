/** The tools around a finger's place, turned towards the person who opened them. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import { icons, tile } from '../elements/icons.ts';
import { kindName } from '../elements/text.ts';
import { offered } from '../state/browser-store.ts';
import { controls } from '../style/controls.ts';
import { owner } from '../style/fragments.ts';
import type { Ring } from './ring.ts';

/** Distance from a ring's middle to the middle of its buttons, and to its edge, in em. */
export const REACH = { buttons: 6.6, edge: 8.4 } as const;
/** Number of creatures that a ring shows at a time. */
const TILES = 5;
/** Angle between two buttons, in degrees. It leaves the side of the person's hand free. */
const STEP = 32;

interface RingButton {
  readonly id: string;
  readonly label: string;
  readonly picture: TemplateResult;
  readonly act: () => void;
  readonly pressed?: boolean;
}

/** The buttons around a ring, which change the ring. */
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
      .band,
      .away,
      button {
        translate: -50% -50%;
      }
      /* The band shows the energy left, in the person's colour. */
      .band {
        width: ${2 * REACH.buttons - 3.6}em;
        background: conic-gradient(
          oklch(${owner} var(--hue)) calc(var(--share) * 360deg),
          oklch(0.95 0.01 210 / 0.14) 0
        );
        mask: radial-gradient(closest-side, transparent 97%, #000 97.5%);
        animation: fade-in 0.25s ease-out;
      }
      button {
        width: 3.2em;
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
      }
      svg {
        --icon: 1.7em;
      }
      .leaving {
        animation: pulse 1s ease-in-out infinite;
        --faintest: 0.25;
      }
      .away svg {
        --icon: 2.6em;
        color: var(--alarm);
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
      <div class="band over round"></div>
      ${left ? html`<div class="away over">${icons.close}</div>` : nothing}
      ${buttons.map((button, i) => this.button(button, ((first + STEP * i) * Math.PI) / 180))}
    </div>`;
  }

  /** Shakes the ring, because a touch had no effect. */
  refuse(): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const steps = [0, -0.4, 0.4, -0.2, 0].map((x) => ({ transform: `translateX(${x}em)` }));
    this.animate(steps, 300);
  }

  /** Returns the buttons from the lower left around the top to the lower right. */
  private buttons(): RingButton[] {
    const { ring } = this;
    const { state, model, own, grafted } = ring;
    const { checkpoint, settings } = model;
    if (!checkpoint) return [];
    const { held, tool, hand } = state.state;
    const all = offered(checkpoint, settings);
    // The button that takes a graft back needs the place of a creature.
    const tiles = grafted ? TILES - 1 : TILES;
    const shown = Array.from({ length: Math.min(tiles, all.length) }, (_, i) => {
      return all[(ring.first + i) % all.length];
    });
    const inGallery = held.from === 'gallery' && shown.includes(held.index);
    if (held.from === 'gallery' && !inGallery) shown[0] = held.index;
    const brush = (id: 'damage' | 'graft', label: string): RingButton => {
      const act = (): void => state.take(tool === id ? 'plant' : id);
      return { id, label, picture: icons[id], act, pressed: tool === id };
    };
    const seed = (source: SeedSource, more: Omit<RingButton, 'act'>): RingButton => {
      const pressed = JSON.stringify(held) === JSON.stringify(source);
      return { ...more, act: () => state.hold(source), pressed };
    };
    const buttons = [brush('damage', msg('Damage'))];
    if (checkpoint.transforms) buttons.push(brush('graft', msg('Graft')));
    if (grafted) {
      const label = msg('Take back my last graft');
      buttons.push({ id: 'ungraft', label, picture: icons.undo, act: () => ring.ungraft(grafted) });
    }
    for (const { id } of hand.slice(0, 1)) {
      const source = { from: 'hand', seed: id } as const;
      const picture = this.film(source) ?? icons.cross;
      buttons.push(seed(source, { id: 'hand-seed', label: msg('A child of two'), picture }));
    }
    for (const index of shown) {
      const label = kindName(checkpoint.gallery[index].name);
      const picture = tile(checkpoint, index);
      buttons.push(seed({ from: 'gallery', index }, { id: 'creature', label, picture }));
    }
    const turn = (): void => {
      ring.first += tiles;
    };
    buttons.push(
      { id: 'more', label: msg('More'), picture: icons.closer, act: turn },
      {
        ...{ id: 'dice', label: msg('Dice'), picture: this.film(held) ?? icons.dice },
        ...{ act: () => state.throwDice(Math.random), pressed: held.from === 'prior' },
      },
    );
    if (own) {
      const act = (): void => ring.takeAlong(own);
      buttons.push({ id: 'keep', label: msg('Keep'), picture: icons.keep, act });
    }
    return buttons;
  }

  /** Returns the picture of a seed that is not in the gallery; undefined until it has arrived. */
  private film(seed: SeedSource): TemplateResult | undefined {
    const film = seed.from === 'gallery' ? undefined : this.ring.previews.film(seed);
    if (!film || film === 'none') return undefined;
    const background = `background:url(${film.url}) 100% 0 / ${film.frames * 100}% 100%`;
    return html`<i class="tile" style=${background}></i>`;
  }

  /** Renders a button. @param angle clockwise from the top, in radians */
  private button({ id, label, picture, act, pressed }: RingButton, angle: number): TemplateResult {
    const press = (): void => {
      act();
      this.requestUpdate();
    };
    // Browsers fire no click if several fingers touch the screen.
    const up = (event: PointerEvent): void => {
      const { left, top, right, bottom } = (event.currentTarget as Element).getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (x >= left && x <= right && y >= top && y <= bottom) press();
    };
    return html`<button
      class="over middle round"
      style="left:${REACH.buttons * Math.sin(angle)}em;top:${-REACH.buttons * Math.cos(angle)}em"
      data-testid=${id}
      aria-label=${label}
      aria-pressed=${pressed ?? nothing}
      @pointerup=${up}
      @click=${({ detail }: MouseEvent) => detail === 0 && press()}
    >${picture}</button>`;
  }
}
