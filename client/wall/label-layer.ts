import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Planes } from '../../shared/codec/chunks.ts';
import { intersects, type Rect } from '../../shared/geometry.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { layerStyle } from '../elements/cursor-layer.ts';
import type { Point } from '../render/camera.ts';
import { bodyOf, placeBeside } from './bare-ground.ts';

/** How long a name stays after its organism has grown, and how long a label fades, in ms. */
const STAY = 4_000;
const FADE = 400;
/** Maximum number of names shown. */
const MAX_NAMES = 40;
/** Distance between a body and its label, in cells. */
const GAP = 3;

/** A caption beside the organism that it is about. */
export interface OrganismCaption {
  readonly organism: OrganismView;
  readonly text: string;
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
}

interface Label {
  readonly element: HTMLElement;
  readonly organism: OrganismView;
  until: number;
  /** Upper left corner relative to the organism's centre, in px; undefined while it has no place. */
  place?: Point | undefined;
  /** When it was last hidden, in ms. */
  hiddenAt: number;
}

/** What labels need to know of the picture. */
export interface LabelledPicture {
  readonly planes: Planes | undefined;
  /** CSS pixels per cell. */
  readonly zoom: number;
  /** Whether the camera glides. Labels are then hidden. */
  readonly isGliding: boolean;
  readonly toScreen: (place: Point) => Point;
  /** Returns whether an area, given in CSS pixels, lies in the picture and on bare ground. */
  readonly isBare: (area: Rect) => boolean;
}

/**
 * Texts beside organisms: the planter's name while an organism grows, and one caption. Labels stand
 * on bare ground, or are hidden.
 */
@customElement('label-layer')
export class LabelLayer extends LitElement {
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
      opacity: 0;
      transition: opacity ${FADE}ms;
      will-change: transform;
    }
    span[data-shown] {
      opacity: 1;
    }
    .caption {
      max-width: 14em;
      width: max-content;
      white-space: normal;
      text-align: center;
      text-wrap: balance;
      font-size: 1.7em;
      font-weight: 300;
      line-height: 1.2;
      color: var(--ink);
    }
  `;

  /** Formats a planter's name. */
  sign: (name: string) => string = (name) => name;
  private readonly names = new Map<OrganismId, Label>();
  private caption: Label | undefined;

  override render(): TemplateResult {
    return html``;
  }

  /** Adds the planter's name when an organism begins to grow. */
  born(organism: OrganismView): void {
    const { id, planter } = organism;
    if (planter.name === '' || this.names.has(id) || this.names.size >= MAX_NAMES) return;
    const label = this.add(organism, this.sign(planter.name));
    label.element.style.setProperty('--hue', String(planter.hue));
    this.names.set(id, label);
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

  /** Shows a caption in place of the last one, or none. */
  showCaption(told: OrganismCaption | undefined): void {
    const { caption } = this;
    if (caption && told?.organism.id === caption.organism.id) {
      if (caption.element.textContent !== told.text) caption.element.textContent = told.text;
      return;
    }
    caption?.element.remove();
    this.caption = told && this.add(told.organism, told.text);
    if (!told) return;
    const { element } = this.caption!;
    element.className = 'caption';
    element.dataset.testid = 'told';
    Object.assign(element, { lang: told.language, dir: told.direction });
  }

  /**
   * Moves the labels, and hides those that would lie on a body.
   *
   * @returns whether any label still has to be moved
   */
  frame(now: number, picture: LabelledPicture): boolean {
    const taken: Rect[] = [];
    if (this.caption) this.move(this.caption, now, picture, taken);
    for (const [id, name] of this.names) {
      if (now > name.until + FADE) {
        name.element.remove();
        this.names.delete(id);
      } else this.move(name, now, picture, taken);
    }
    return this.names.size > 0 || this.caption !== undefined;
  }

  private add(organism: OrganismView, text: string): Label {
    const element = document.createElement('span');
    element.textContent = text;
    this.renderRoot.append(element);
    return { element, organism, until: Infinity, hiddenAt: -Infinity };
  }

  /** @param taken areas of other labels, in CSS pixels; this label's area is added */
  private move(
    label: Label,
    now: number,
    { planes, zoom, isGliding, toScreen, isBare }: LabelledPicture,
    taken: Rect[],
  ): void {
    const { element, organism, until } = label;
    const { offsetWidth: width, offsetHeight: height } = element;
    const at = toScreen(organism);
    const fits = (area: Rect): boolean =>
      isBare(area) && !taken.some((one) => intersects(one, area));
    const areaOf = ({ x, y }: Point): Rect => ({ x: at.x + x, y: at.y + y, width, height });
    const isOver = isGliding || now > until || !planes;
    if (label.place && (isOver || !fits(areaOf(label.place)))) {
      label.place = undefined;
      label.hiddenAt = now;
    }
    if (!label.place && !isOver && now > label.hiddenAt + FADE) {
      const body = bodyOf(planes, organism);
      const { x, y } = toScreen(body);
      const seen = { x, y, width: body.width * zoom, height: body.height * zoom };
      const place = placeBeside(seen, { width, height }, GAP * zoom, fits);
      label.place = place && { x: place.x - at.x, y: place.y - at.y };
    }
    element.toggleAttribute('data-shown', label.place !== undefined);
    if (!label.place) return;
    const area = areaOf(label.place);
    taken.push(area);
    element.style.transform = `translate(${area.x.toFixed(1)}px, ${area.y.toFixed(1)}px)`;
  }
}
