import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { layerStyle } from '../elements/cursor-layer.ts';
import type { Point } from '../render/camera.ts';

/** How long a name stays after its organism has grown, and how long it then fades, in ms. */
const STAY = 4_000;
const FADE = 900;
/** Maximum number of names shown. */
const MAX_NAMES = 40;

interface Name {
  readonly element: HTMLElement;
  readonly place: Point;
  until: number;
}

/** Shows the planter's name under a growing organism, in the planter's hue. */
@customElement('name-layer')
export class NameLayer extends LitElement {
  static override styles = css`
    ${layerStyle}
    span {
      position: absolute;
      left: 0;
      top: 0;
      white-space: nowrap;
      color: oklch(0.9 0.07 var(--hue));
      text-shadow:
        0 0 0.2em oklch(0.1 0.01 230),
        0 0.05em 0.5em oklch(0.1 0.01 230 / 0.9);
      transition: opacity ${FADE}ms;
      will-change: transform;
      animation: come ${FADE}ms ease-out;
    }
  `;

  /** Formats a planter's name. */
  sign: (name: string) => string = (name) => name;
  private readonly names = new Map<OrganismId, Name>();

  override render(): TemplateResult {
    return html``;
  }

  /** Adds the planter's name when an organism begins to grow. */
  born({ id, x, y, side, planter }: OrganismView): void {
    if (planter.name === '' || this.names.has(id) || this.names.size >= MAX_NAMES) return;
    const element = document.createElement('span');
    element.textContent = this.sign(planter.name);
    element.style.setProperty('--hue', String(planter.hue));
    this.renderRoot.append(element);
    const place = { x, y: y + side / 2 };
    this.names.set(id, { element, place, until: Number.POSITIVE_INFINITY });
  }

  /** Schedules the end of a name once its organism has grown or died. */
  done(id: OrganismId, now: number): void {
    const name = this.names.get(id);
    if (name) name.until = Math.min(name.until, now + STAY);
  }

  /** Synchronizes the names with the room's organisms after a gap in the connection. */
  keep(organisms: ReadonlyMap<OrganismId, OrganismView>, now: number): void {
    for (const organism of organisms.values()) {
      if (organism.phase === 'growing') this.born(organism);
    }
    for (const [id, { element }] of this.names) {
      const organism = organisms.get(id);
      if (organism) element.textContent = this.sign(organism.planter.name);
      if (organism?.phase !== 'growing') this.done(id, now);
    }
  }

  /**
   * Moves the names.
   *
   * @returns whether any name still has to be moved
   */
  frame(now: number, toScreen: (place: Point) => Point): boolean {
    for (const [id, { element, place, until }] of this.names) {
      if (now > until + FADE) {
        element.remove();
        this.names.delete(id);
        continue;
      }
      if (now > until) element.style.opacity = '0';
      const { x, y } = toScreen(place);
      element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translateX(-50%)`;
    }
    return this.names.size > 0;
  }
}
