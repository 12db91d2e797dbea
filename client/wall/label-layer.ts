import { css, LitElement } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Planes } from '../../shared/codec/chunks.ts';
import { intersects, type Rect } from '../../shared/geometry.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { layerStyle } from '../elements/cursor-layer.ts';
import type { Point, Size } from '../render/camera.ts';
import { bodyOf, type WallView } from './wall-view.ts';

/**
 * Shifts to try, in this order, when placing a text near an organism. A text below or above the
 * organism is shifted sideways; the unit is the text's width. A text to the right or left of the
 * organism is shifted vertically; the unit is the organism's height.
 */
const SHIFTS = [0, 0.45, -0.45];

/**
 * Finds a free place for a text below, above, to the right or to the left of an organism.
 *
 * @param body bounding box of the organism, in CSS pixels
 * @param text size of the text, in CSS pixels
 * @param gap distance between the organism and the text, in CSS pixels
 * @param fits returns whether the text may cover this area, in CSS pixels
 * @returns the upper left corner of the text, in CSS pixels; undefined if there is no free place
 */
export function placeBeside(body: Rect, text: Size, gap: number, fits: (area: Rect) => boolean) {
  const x = body.x + (body.width - text.width) / 2;
  const y = body.y + (body.height - text.height) / 2;
  const [above, below] = [body.y - gap - text.height, body.y + body.height + gap];
  const [before, after] = [body.x - gap - text.width, body.x + body.width + gap];
  const places = [
    ...[below, above].flatMap((at) => SHIFTS.map((by) => ({ x: x + by * text.width, y: at }))),
    ...[after, before].flatMap((at) => SHIFTS.map((by) => ({ x: at, y: y + by * body.height }))),
  ];
  return places.find((place) => fits({ ...place, ...text }));
}

/**
 * `STAY`: how long a name remains after its organism has grown up or died. `FADE`: how long a label
 * takes to fade in or out. Both in ms.
 */
const STAY = 4_000;
const FADE = 400;
/** Maximum number of names shown at a time. */
const MAX_NAMES = 40;
/** Distance between an organism and its label, in cells. */
const GAP = 3;

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
  /**
   * Upper left corner of the label relative to the organism's centre, in CSS pixels. Undefined
   * while the label is hidden.
   */
  place?: Point | undefined;
  /** Time at which the label was last hidden, in ms. */
  hiddenAt: number;
}

/**
 * The parts of the wall's view that labels need, and the room's planes (colours and owners of all
 * cells).
 */
type Ground = Pick<WallView, 'camera' | 'isGliding' | 'toScreen' | 'isBare'> & {
  readonly planes: Planes | undefined;
};

/**
 * Shows labels beside organisms: the planter's name beside each growing organism, and at most one
 * caption. Hides a label while there is no free space for it beside its organism.
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

  /** Converts a planter's name to the text of its label. */
  sign: (name: string) => string = (name) => name;
  private readonly names = new Map<OrganismId, Label>();
  private caption: Label | undefined;

  /** Adds the planter's name beside an organism that begins to grow. */
  born(organism: OrganismView): void {
    const { id, planter } = organism;
    // Omit the gardener's name, because it would be everywhere.
    if (planter.name === '' || planter.name === GARDENER_NAME) return;
    if (this.names.has(id) || this.names.size >= MAX_NAMES) return;
    const label = this.add(organism, this.sign(planter.name));
    label.element.style.setProperty('--hue', String(planter.hue));
    this.names.set(id, label);
  }

  /** Removes the name of an organism that has grown up or died, after a delay. */
  done(id: OrganismId, now: number): void {
    const name = this.names.get(id);
    if (name) name.until = Math.min(name.until, now + STAY);
  }

  /**
   * Called when the connection has been restored. Adds the names of growing organisms, and removes
   * all other names after a delay.
   */
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

  /** Replaces the caption. If `told` is undefined, removes the caption. */
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
   * Moves the labels along with the camera, and hides labels that would cover organisms.
   *
   * @returns whether there are labels, which the next frame must move again
   */
  frame(now: number, ground: Ground): boolean {
    const taken: Rect[] = [];
    if (this.caption) this.move(this.caption, now, ground, taken);
    for (const [id, name] of this.names) {
      if (now > name.until + FADE) {
        name.element.remove();
        this.names.delete(id);
      } else this.move(name, now, ground, taken);
    }
    return this.names.size > 0 || this.caption !== undefined;
  }

  private add(organism: OrganismView, text: string): Label {
    const element = document.createElement('span');
    element.textContent = text;
    this.renderRoot.append(element);
    return { element, organism, until: Infinity, hiddenAt: -Infinity };
  }

  /**
   * @param taken areas covered by other labels, in CSS pixels; the area of this label is added if
   *   the label is shown
   */
  private move(label: Label, now: number, ground: Ground, taken: Rect[]): void {
    const { element, organism, until } = label;
    const { planes, isGliding, camera } = ground;
    const { offsetWidth: width, offsetHeight: height } = element;
    const at = ground.toScreen(organism);
    const fits = (area: Rect): boolean =>
      ground.isBare(area) && !taken.some((one) => intersects(one, area));
    const areaOf = ({ x, y }: Point): Rect => ({ x: at.x + x, y: at.y + y, width, height });
    const isOver = isGliding || now > until || !planes;
    if (label.place && (isOver || !fits(areaOf(label.place)))) {
      label.place = undefined;
      label.hiddenAt = now;
    }
    if (!label.place && !isOver && now > label.hiddenAt + FADE) {
      const body = bodyOf(planes, organism);
      const [wide, high] = [body.width * camera.zoom, body.height * camera.zoom];
      const seen = { ...ground.toScreen(body), width: wide, height: high };
      const place = placeBeside(seen, { width, height }, GAP * camera.zoom, fits);
      label.place = place && { x: place.x - at.x, y: place.y - at.y };
    }
    element.toggleAttribute('data-shown', label.place !== undefined);
    if (!label.place) return;
    const area = areaOf(label.place);
    taken.push(area);
    element.style.transform = `translate(${area.x.toFixed(1)}px, ${area.y.toFixed(1)}px)`;
  }
}
